import { isNumeric, textOf, type Value } from './cell-text.ts';

/** Longer texts are cut off on the page; the CSV has all of them. */
const mostCharacters = 240;

/** Untrusted text, which React escapes. */
export function Cell({ value, type }: { readonly value: Value; readonly type: string }) {
  if (value === null) return <td className="null">null</td>;
  const text = textOf(value);
  const isNumber = isNumeric(type);
  const isLong = text.length > mostCharacters;
  return (
    <td
      className={isNumber ? 'number' : text.length > 40 ? 'long' : 'nowrap'}
      title={isLong ? text : undefined}
    >
      {isLong ? `${text.slice(0, mostCharacters)}…` : text}
    </td>
  );
}
