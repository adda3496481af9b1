import { type ReactNode, useId } from 'react';

/** A field with its label, and below it a hint or what is wrong. */
export function Field({
  label,
  hint,
  problem,
  children,
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | undefined;
  readonly children: (attributes: {
    readonly id: string;
    readonly 'aria-describedby': string | undefined;
    readonly 'aria-invalid': boolean;
  }) => ReactNode;
}) {
  const id = useId();
  const below = `${id}-below`;
  const hasBelow = hint !== undefined || problem !== undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': hasBelow ? below : undefined,
        'aria-invalid': problem !== undefined,
      })}
      {hasBelow && (
        <div id={below} className="field-below">
          {problem !== undefined && <p className="field-problem">{problem}</p>}
          {hint !== undefined && <p className="muted">{hint}</p>}
        </div>
      )}
    </div>
  );
}

/** One of a few values; `label` names it for screen readers if only a column heading names it on the page. */
export function Choice<Value extends string>({
  label,
  value,
  values,
  choose,
  words = {},
  disabled = false,
  id,
}: {
  readonly label?: string;
  readonly value: Value;
  readonly values: readonly Value[];
  readonly choose: (value: Value) => void;
  readonly words?: { readonly [value: string]: string };
  readonly disabled?: boolean;
  readonly id?: string;
}) {
  return (
    <select
      id={id}
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={(event) => choose(event.target.value as Value)}
    >
      {values.map((one) => (
        <option key={one} value={one}>
          {words[one] ?? one}
        </option>
      ))}
    </select>
  );
}
