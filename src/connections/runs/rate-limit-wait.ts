import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common/lib/converter/payload-converter.js';
import type { Beat } from '../../../activities/contract.ts';

/**
 * When the first step of a run may continue, RFC 3339; `undefined` unless all its steps wait because the API refused a
 * request. The workflow does not know it: steps report it in their heartbeats.
 */
export function waitingUntilOf({ raw }: WorkflowExecutionDescription): string | undefined {
  const ends = (raw.pendingActivities ?? []).map(({ heartbeatDetails }) => {
    const payload = heartbeatDetails?.payloads?.[0];
    return payload && defaultPayloadConverter.fromPayload<Beat>(payload).waitingUntil;
  });
  const known = ends.filter((end) => end !== undefined && end > Date.now()) as number[];
  if (known.length === 0 || known.length < ends.length) return undefined;
  return new Date(Math.min(...known)).toISOString();
}
