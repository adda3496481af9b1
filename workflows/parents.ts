import type { ExtractedParents, ReadParents } from '../activities/contract.ts';

/** If more parents than this cannot be read, the cause is not the parents themselves. */
const mostLeft = 5;

/** The parents that a run has dealt with, after another batch. */
export function withParents(
  { done, gone, left, keys }: ReadParents = { done: 0, gone: 0, left: [], keys: [] },
  batch: ExtractedParents,
): ReadParents {
  return {
    done: done + batch.done,
    gone: gone + batch.gone,
    left: [...left, ...batch.left],
    keys: batch.keys ? [...keys, batch.keys] : keys,
  };
}

/** Whether too many parents could not be read, so that the run fails. */
export function isTooManyLeft({ left }: Pick<ReadParents, 'left'>): boolean {
  return left.length > mostLeft;
}
