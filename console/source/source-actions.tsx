import { useState } from 'react';
import type { ActionRequest, SourceDetail } from '../../src/console/contract/sources.ts';
import { goTo } from '../app/route.ts';
import { ActionDialog } from './action-dialog.tsx';
import { SettingsDialog } from './settings-dialog.tsx';
import { actionWords } from './action-words.ts';

type Open = { readonly action: ActionRequest['action'] } | 'settings' | undefined;

/** What can be done with a whole connection. */
export function SourceActions({ detail }: { readonly detail: SourceDetail }) {
  const [open, setOpen] = useState<Open>();
  const { id, tables } = detail;
  const isRunning = tables.some(({ run }) => run !== undefined);
  const isPaused = tables.length > 0 && tables.every(({ schedule }) => schedule === 'paused');
  const shown: ActionRequest['action'][] = [
    'trigger',
    isPaused ? 'resume' : 'pause',
    ...(isRunning ? ['cancel' as const] : []),
  ];
  return (
    <div className="actions start">
      {shown.map((action) => (
        <button key={action} type="button" className="button" onClick={() => setOpen({ action })}>
          {actionWords[action].verb}
        </button>
      ))}
      <button type="button" className="button" onClick={() => setOpen('settings')}>
        Change tables
      </button>
      <button type="button" className="button dangerous" onClick={() => setOpen({ action: 'unlink' })}>
        {actionWords.unlink.verb}
      </button>
      {open === 'settings' && <SettingsDialog detail={detail} close={() => setOpen(undefined)} />}
      {open !== undefined && open !== 'settings' && (
        <ActionDialog
          id={id}
          request={open}
          close={() => setOpen(undefined)}
          done={() => {
            if (open.action === 'unlink') goTo('#/');
          }}
        />
      )}
    </div>
  );
}
