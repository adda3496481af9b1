/**
 * How the server retries a run of `syncTable`. A run's own failures are final, so this only applies when a worker
 * cannot replay the run's history because a worker of another version made it. The run then starts over, which costs
 * a re-read, instead of failing. In milliseconds and written out in full, so that a schedule can be compared with
 * the one on the server.
 */
export const restartPolicy = {
  maximumAttempts: 3,
  initialInterval: 1_000,
  backoffCoefficient: 2,
  maximumInterval: 10_000,
};
