import { distance } from 'fastest-levenshtein';

/** The advice, after the known word that was probably meant: `Did you mean alerts? The tables are …`. */
export function withSuggestion(word: string, known: readonly string[], advice: string): string {
  const near = nearest(word, known);
  return near === undefined ? advice : `Did you mean ${near}? ${advice}`;
}

/** The known word closest to a mistyped one; `undefined` if none is close, as a wrong guess misleads. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // One letter in three may be wrong.
  let least = Math.floor(word.length / 3) + 1;
  for (const one of known) {
    const edits = distance(word.toLowerCase(), one.toLowerCase());
    if (edits < least) [best, least] = [one, edits];
  }
  return best;
}
