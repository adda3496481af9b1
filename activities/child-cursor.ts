/**
 * Where a batch of children ended: after a parent that was read to its end, or within one, at the cursor of its list.
 * The workflow carries it as text, as it does the API's own cursors.
 */
export type ChildCursor = { readonly parent: string; readonly after?: string };

export function cursorText({ parent, after }: ChildCursor): string {
  return JSON.stringify(after === undefined ? [parent] : [parent, after]);
}

export function cursorOf(text: string): ChildCursor {
  const [parent, after] = JSON.parse(text) as [string, string?];
  return after === undefined ? { parent } : { parent, after };
}
