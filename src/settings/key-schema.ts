import { z } from 'zod';

import { variablePattern } from './key.ts';

/**
 * The format of a reference to a key.
 * @param what is behind it, for messages
 */
export function keyReferenceSchema(what = 'key') {
  return z.union(
    [
      z.strictObject({ env: z.string().regex(variablePattern, { abort: true }) }),
      z.strictObject({ file: z.string().min(1, { abort: true }) }),
    ],
    { error: `use {"env": "NAME"} or {"file": "path"}, never the ${what} itself` },
  );
}
