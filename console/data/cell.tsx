import { isNumeric, textOf, type Value } from './cell-text.ts';

/** A longer text is cut on the page; its whole is in the CSV. */
const mostCharacters = 240;

/** Other people's text: React escapes it. */
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
