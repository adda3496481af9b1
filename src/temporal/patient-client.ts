import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionLike, WorkflowService } from '@temporalio/client';
import { Client } from '@temporalio/client/lib/client.js';
import { TemporalUnavailableError } from '../errors.ts';
import type { TemporalAccess } from './connection.ts';

/** How a client waits for a server that has gone away. */
export type Patience = {
  /** Milliseconds without any answer after which a call fails. Time in which the machine slept does not count. */
  readonly ms: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Takes a line when the server stops answering, and one when it answers again. */
  readonly report?: (line: string) => void;
};

/** A restart of a server takes seconds, and people do not wait longer for a command that only asks. */
const usualPatience: Patience = { ms: 60_000 };

/** The native connection reports an answer that does not come within its 30 s as `CANCELLED`. */
const passingCodes = new Set([
  /* CANCELLED */ 1, /* DEADLINE_EXCEEDED */ 4, /* RESOURCE_EXHAUSTED */ 8, /* UNAVAILABLE */ 14,
]);
/** The native connection has tried for about ten seconds itself before it fails. */
const pauseMs = 1_000;
/** No single try lasts longer than a long poll; a longer one was a machine asleep. */
const longestTryMs = 90_000;

/**
 * A client that makes a call again if the server gives no answer: a laptop's lid was closed, or a server restarts. Each
 * call carries its own request id, so one whose answer was lost is not carried out twice. Calls with a deadline of
 * their own are made once.
 *
 * Calls throw `TemporalUnavailableError` when patience runs out.
 */
export function patientClient(
  { connection, namespace, address }: Pick<TemporalAccess, 'connection' | 'namespace' | 'address'>,
  patience: Patience = usualPatience,
): Client {
  const calls = new PatientCalls(address, patience);
  const limited = new AsyncLocalStorage<boolean>();
  const patient = Object.create(connection, {
    workflowService: {
      value: eachCall(connection.workflowService, (call) =>
        limited.getStore() === true ? call() : calls.make(call),
      ),
    },
    withDeadline: {
      value: <T>(deadline: number | Date, work: () => Promise<T>) =>
        limited.run(true, () => connection.withDeadline(deadline, work)),
    },
  }) as ConnectionLike;
  return new Client({ connection: patient, namespace });
}

type Call = () => Promise<unknown>;

/** The service with every call of it made by `make`. */
function eachCall(service: WorkflowService, make: (call: Call) => Promise<unknown>): WorkflowService {
  return new Proxy(service, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => make(() => Reflect.apply(member, target, args) as Promise<unknown>);
    },
  });
}

/** Makes calls, and knows for all of them together whether the server answers. */
class PatientCalls {
  readonly #address: string;
  readonly #patience: Patience;
  #isAway = false;

  constructor(address: string, patience: Patience) {
    this.#address = address;
    this.#patience = patience;
  }

  async make(call: Call): Promise<unknown> {
    const { ms, signal } = this.#patience;
    let waitedMs = 0;
    for (;;) {
      const began = Date.now();
      try {
        const answer = await call();
        this.#answered();
        return answer;
      } catch (error) {
        if (!isPassing(error)) throw error;
        waitedMs += Math.min(Date.now() - began, longestTryMs) + pauseMs;
        if (waitedMs > ms) throw this.#gone(error, waitedMs);
        this.#unanswered(error);
        await sleep(pauseMs, undefined, { signal });
      }
    }
  }

  #answered(): void {
    if (this.#isAway) this.#patience.report?.(`The Temporal server at ${this.#address} answers again.`);
    this.#isAway = false;
  }

  #unanswered(error: Error): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#patience.report?.(
      `The Temporal server at ${this.#address} does not answer (${error.message}); trying again.`,
    );
  }

  #gone(error: Error, waitedMs: number): TemporalUnavailableError {
    return new TemporalUnavailableError(
      `The Temporal server at ${this.#address} has not answered for ${Math.round(waitedMs / 1_000)} s: ${error.message}`,
      'Check that the server runs and the network; then run the command again.',
      { cause: error },
    );
  }
}

function isPassing(error: unknown): error is Error {
  return error instanceof Error && passingCodes.has((error as { code?: unknown }).code as number);
}
