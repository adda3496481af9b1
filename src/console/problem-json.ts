import { defined } from '../defined.ts';
import type { TableFailure } from '../failure.ts';
import { hideSecrets } from '../secrets.ts';
import type { Problem } from './contract/common.ts';

/** A failure as it is answered. */
export function problemJson({ error, message, advice }: Problem): Problem {
  return { error, message: hideSecrets(message), ...defined({ advice }) };
}

/** Tables that failed while others did not. */
export function failuresJson(failures: readonly TableFailure[]): (Problem & { readonly table: string })[] {
  return failures.map(({ table, ...failure }) => ({ table, ...problemJson(failure) }));
}
