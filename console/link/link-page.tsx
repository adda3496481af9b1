import { useEffect, useRef, useState } from 'react';
import type { About } from '../../src/console/contract/data.ts';
import type { CheckedKey } from '../../src/console/contract/link.ts';
import { sendDelete } from '../app/api.ts';
import { goTo, sourceHref } from '../app/route.ts';
import { say } from '../app/said.tsx';
import { useAnswer } from '../app/use-answer.ts';
import { WhenLoaded } from '../parts/loading.tsx';
import { type Chosen, suggestedSettings } from './choose.ts';
import { DestinationStep } from './destination-step.tsx';
import { KeyStep } from './key-step.tsx';
import { Steps } from './steps.tsx';
import { TablesStep } from './tables-step.tsx';

const steps = ['API key', 'Tables', 'Destination'] as const;

/** The steps from an API key to the first import. The key leaves the page with the first step and never comes back. */
export function LinkPage({ about }: { readonly about: About | undefined }) {
  const [step, setStep] = useState(0);
  const head = useHeadOf(step);
  const [checked, setChecked] = useState<CheckedKey>();
  const [chosen, setChosen] = useState<Chosen>({});
  const offered = useAnswer<'tables'>('/api/tables');
  useForgottenDraft(checked?.draft);
  return (
    <div className={`page ${step === 1 ? '' : 'narrow'}`}>
      <nav className="crumbs" aria-label="Breadcrumb">
        <a href="#/">Sources</a>
        <a href="#/new">New source</a>
      </nav>
      <h1 ref={head} tabIndex={-1}>
        Link incident.io
      </h1>
      <Steps names={steps} current={step} />
      <WhenLoaded loaded={offered} what="tables">
        {({ groups, frequencies }) => (
          <>
            {step === 0 && about && (
              <KeyStep
                sandbox={about.sandbox}
                groups={groups}
                checked={checked}
                setChecked={(key) => {
                  setChecked(key);
                  setChosen(suggestedSettings(groups, key));
                }}
                next={() => setStep(1)}
              />
            )}
            {step === 1 && checked && (
              <TablesStep
                groups={groups}
                frequencies={frequencies}
                checked={checked}
                chosen={chosen}
                setChosen={setChosen}
                back={() => setStep(0)}
                next={() => setStep(2)}
              />
            )}
            {step === 2 && checked && (
              <DestinationStep
                checked={checked}
                chosen={chosen}
                back={() => setStep(1)}
                linked={(id) => {
                  say('Linked. The first import has started.');
                  goTo(sourceHref(id));
                }}
              />
            )}
          </>
        )}
      </WhenLoaded>
    </div>
  );
}

/** Moves the focus to the heading when the step changes, because the button that had it is gone. */
function useHeadOf(step: number) {
  const head = useRef<HTMLHeadingElement>(null);
  const before = useRef(step);
  useEffect(() => {
    if (before.current === step) return;
    before.current = step;
    head.current?.focus();
    scrollTo(0, 0);
  }, [step]);
  return head;
}

/** Makes the server forget an abandoned key at once, instead of when its time is over. */
function useForgottenDraft(draft: string | undefined): void {
  useEffect(() => {
    if (draft === undefined) return undefined;
    const forget = () => sendDelete(`/api/link/${draft}`);
    addEventListener('pagehide', forget);
    return () => removeEventListener('pagehide', forget);
  }, [draft]);
}
