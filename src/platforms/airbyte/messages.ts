import type { PlatformFailure } from '../failure-type.ts';
import type { StateBlob } from '../stream-state.ts';

// The messages of the Airbyte protocol that a source sends.

export const protocolVersion = '0.18.0';

export type LogLevel = 'INFO' | 'WARN' | 'ERROR';
export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';

export function log(level: LogLevel, message: string): object {
  return { type: 'LOG', log: { level, message } };
}

export function connectionStatus(status: 'SUCCEEDED' | 'FAILED', message?: string): object {
  return {
    type: 'CONNECTION_STATUS',
    connectionStatus: { status, ...(message !== undefined && { message }) },
  };
}

/** @param waitsUntil the end of a wait for the API's limit, milliseconds since the epoch */
export function streamStatus(stream: string, status: StreamStatus, waitsUntil?: number): object {
  const reasons = [{ type: 'RATE_LIMITED', rate_limited: { quota_reset: waitsUntil } }];
  return trace({
    type: 'STREAM_STATUS',
    stream_status: {
      stream_descriptor: { name: stream },
      status,
      ...(waitsUntil !== undefined && { reasons }),
    },
  });
}

/** @param stream the stream that fails; left out for a failure of all streams */
export function errorTrace({ type, message, cause, stack }: PlatformFailure, stream?: string): object {
  return trace({
    type: 'ERROR',
    error: {
      message,
      internal_message: cause,
      failure_type: type,
      ...(stack !== undefined && { stack_trace: stack }),
      ...(stream !== undefined && { stream_descriptor: { name: stream } }),
    },
  });
}

function trace(facts: object): object {
  return { type: 'TRACE', trace: { emitted_at: Date.now(), ...facts } };
}

/** @param records how many records of the stream were sent since its last state */
export function streamState(stream: string, state: StateBlob, records: number): object {
  return {
    type: 'STATE',
    state: {
      type: 'STREAM',
      stream: { stream_descriptor: { name: stream }, stream_state: state },
      sourceStats: { recordCount: records },
    },
  };
}

/** A record's line without its data: what comes before and after it. */
export function recordParts(stream: string, emittedAt: number): readonly [before: string, after: string] {
  const start = JSON.stringify({ type: 'RECORD', record: { stream, emitted_at: emittedAt } });
  return [`${start.slice(0, -2)},"data":`, '}}'];
}
