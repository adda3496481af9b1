import type { SyncTableResult } from '../../../workflows/contract.ts';

/** The phase of a run that no worker has taken yet, or whose worker is gone. */
export const waitingForWorker = 'waiting for a worker';

const longWaitSeconds = 60;

/** The seconds that a run waited for a worker; `undefined` if too few to be worth mentioning. */
export function longWaitOf({ queuedSeconds = 0 }: SyncTableResult): number | undefined {
  return queuedSeconds >= longWaitSeconds ? queuedSeconds : undefined;
}
