import { windowsAtOnce } from '../../../workflows/windows.ts';
import { estimateRequests, type RequestEstimate } from '../../connections/request-estimate.ts';
import type { BucketLimit } from '../../incident-io/bucket.ts';
import { keyLimit } from '../../incident-io/pace.ts';
import type { TablePermission } from '../../incident-io/permissions.ts';
import { tableNamed } from '../../tables/index.ts';
import type { EstimateAnswer } from '../contract/link.ts';

/** A request over the Internet takes this long, so a few requests take longer than the rate limits alone require. */
const requestSeconds = 0.15;

/** What it costs to read each table. */
export function estimatesOf(permissions: readonly TablePermission[]): ReadonlyMap<string, EstimateAnswer> {
  const estimates = estimateRequests(permissions);
  return new Map(estimates.map((estimate) => [estimate.table, together([estimate])]));
}

/** What tables cost together: they share the key's rate limit, and some endpoints have a limit of their own. */
export function estimateOf(
  permissions: readonly TablePermission[],
  names: readonly string[],
): EstimateAnswer {
  return together(estimateRequests(permissions).filter(({ table }) => names.includes(table)));
}

function together(estimates: readonly RequestEstimate[]): EstimateAnswer {
  const sum = (figure: 'fullRead' | 'quietDay') =>
    estimates.reduce((total, estimate) => total + estimate[figure], 0);
  const fullRead = sum('fullRead');
  const waits = estimates.map(({ table, fullRead }) => waitOf(fullRead, tableNamed(table).bucket));
  return {
    fullRead,
    quietDay: sum('quietDay'),
    atLeast: estimates.some(({ atLeast }) => atLeast),
    seconds: Math.ceil(
      Math.max((fullRead * requestSeconds) / windowsAtOnce, waitOf(fullRead, keyLimit), ...waits),
    ),
  };
}

/** Seconds until a full bucket has given this many tokens. */
function waitOf(requests: number, { capacity, perSecond }: BucketLimit = keyLimit): number {
  return Math.max(0, requests - capacity) / perSecond;
}
