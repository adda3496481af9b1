import type { PlannedChange } from '../../src/console/contract/sources.ts';

type Line = PlannedChange['lines'][number];

/** How many unchanged lines to show around a change. */
const around = 3;
const signs = { same: ' ', added: '+', removed: '−' };

/** The difference of a file, in the style of version control. */
export function Difference({ lines }: { readonly lines: readonly Line[] }) {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ kind }) => kind !== 'same'),
  );
  if (!isNear.includes(true)) return <p className="muted">The file stays as it is.</p>;
  return (
    <pre className="difference" tabIndex={0} aria-label="Difference in the settings file">
      {lines.map((line, index) => {
        if (isNear[index]) return <DifferentLine key={index} line={line} />;
        return isNear[index - 1] ? (
          <span key={index} className="line gap">
            …
          </span>
        ) : null;
      })}
    </pre>
  );
}

function DifferentLine({ line: { kind, text } }: { readonly line: Line }) {
  const Element = { same: 'span', added: 'ins', removed: 'del' }[kind] as 'span' | 'ins' | 'del';
  return (
    <Element className={`line ${kind}`}>
      <span aria-hidden="true">{signs[kind]} </span>
      {text}
    </Element>
  );
}
