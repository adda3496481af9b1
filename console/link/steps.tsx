/** Shows the current step. */
export function Steps({ names, current }: { readonly names: readonly string[]; readonly current: number }) {
  return (
    <ol className="steps" aria-label="Steps">
      {names.map((name, index) => (
        <li
          key={name}
          className={index < current ? 'done' : ''}
          aria-current={index === current ? 'step' : undefined}
        >
          <span className="step-number" aria-hidden="true">
            {index < current ? '✓' : index + 1}
          </span>
          {name}
          {index < current && <span className="for-readers"> (done)</span>}
        </li>
      ))}
    </ol>
  );
}
