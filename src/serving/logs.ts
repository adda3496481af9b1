import { pino } from 'pino';
import { hideSecrets } from '../secrets.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line: what happened, and facts about it. Facts may hold anything, including errors. */
export type Log = (level: LogLevel, message: string, facts?: { readonly [name: string]: unknown }) => void;

/** Where lines go. */
export type LogOutput = { write(line: string): unknown; readonly isTTY?: boolean };

/** One JSON object per line, or plain text on a terminal. API keys are cut out of both; debug lines are not written. */
export function createLog(output: LogOutput): Log {
  const lines = pino(
    {
      base: null,
      formatters: { level: (level) => ({ level }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => output.write(output.isTTY === true ? readable(line) : line) },
  );
  return (level, message, facts = {}) => {
    lines[level](shown(facts, 0), hideSecrets(message));
  };
}

/** Fields of the SDK that are of no use in a log. */
const leftOut = new Set(['taskToken', 'isLocal', 'sdkComponent']);
/** Deeper than any field of ours; it also ends objects that contain themselves. */
const deepest = 6;

/**
 * A value as a line shows it, without API keys. An error is only its type, message, stack and cause: errors of other
 * libraries carry requests with their headers, or rows.
 */
function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return hideSecrets(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '…';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof Error) return shownError(value, depth);
  if (Array.isArray(value)) return value.map((item) => shown(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !leftOut.has(name))
      .map(([name, item]) => [hideSecrets(name), shown(item, depth + 1)]),
  );
}

function shownError(error: Error, depth: number): unknown {
  // Temporal's failures carry the class of the original error.
  const { type } = error as { type?: unknown };
  return {
    type: typeof type === 'string' ? type : error.name,
    message: hideSecrets(error.message),
    ...(error.stack !== undefined && { stack: hideSecrets(error.stack) }),
    ...(error.cause !== undefined && { cause: shown(error.cause, depth + 1) }),
  };
}

/** Ids by which machines find a run; a person at a terminal knows it by its table. */
const forMachines = new Set(['namespace', 'taskQueue', 'workflowId', 'workflowType', 'runId', 'run']);

/** `10:00:01 info  run ended table=incidents rows=12` */
function readable(line: string): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as {
    readonly level: string;
    readonly time: string;
    readonly msg: string;
    readonly [fact: string]: unknown;
  };
  const shownFacts = Object.entries(facts)
    .filter(([name]) => !forMachines.has(name))
    .map(([name, value]) => `${name}=${asText(value)}`);
  return `${[time.slice(11, 19), level.padEnd(5), oneLine(msg), ...shownFacts].join(' ')}\n`;
}

function asText(value: unknown): string {
  const error = value as { readonly type?: unknown; readonly message?: unknown; readonly stack?: unknown };
  const text =
    typeof value === 'object' && value !== null && typeof error.stack === 'string'
      ? `${String(error.type)}: ${String(error.message)}`
      : value;
  return typeof text === 'string' && /^[^\s"=]+$/.test(text) ? oneLine(text) : JSON.stringify(text);
}

/** Spells control characters out: a message must not break the line or control the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
