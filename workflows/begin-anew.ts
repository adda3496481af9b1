/**
 * How the server retries a run of `syncTable`. A run's own failures are final, so this is for a history that its
 * worker cannot replay, since one of another version made it: the run begins anew, which costs a re-read, and does
 * not count as failed. Milliseconds; written out, so that a schedule can be compared with what the server has.
 */
export const beginAnew = {
  maximumAttempts: 3,
  initialInterval: 1_000,
  backoffCoefficient: 2,
  maximumInterval: 10_000,
};
