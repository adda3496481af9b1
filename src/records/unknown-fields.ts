/** A part's column with the fields the declaration does not know, by `fieldKey`: text unchanged, anything else as JSON text. */
export const unknownColumn = '__unknown';
/** A part's column with the same as one JSON object, if a record has more of them than a table gets columns for. */
export const furtherColumn = '__further';

/**
 * At most this many columns are added to a table for unknown fields. The vendor adds a few at a time, so more are not
 * new fields but data in the place of names. Each costs memory and time in every merge: with 200 a merge takes eight
 * times as long as with 100, with a thousand it runs out of memory.
 */
export const mostUnknownColumns = 100;

/** Unknown fields and their values, by `fieldKey`. */
export type UnknownFields = { readonly [key: string]: string };

/**
 * The name of a field as a part and the table's metadata keep it: the inside of its JSON string, so that no two
 * fields share one and none holds a NUL or half a surrogate pair.
 */
export function fieldKey(field: string): string {
  return JSON.stringify(field).slice(1, -1);
}

/** The field that a `fieldKey` was made from. */
export function fieldOfKey(key: string): string {
  return JSON.parse(`"${key}"`) as string;
}

/** The JSON object for `__further`; `undefined` if there are few enough fields. */
export function furtherFields(fields: UnknownFields): string | undefined {
  const entries = Object.entries(fields);
  if (entries.length <= mostUnknownColumns) return undefined;
  return `{${entries.map(([key, value]) => `"${key}":${JSON.stringify(value)}`).join(',')}}`;
}
