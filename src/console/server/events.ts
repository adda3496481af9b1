import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Log } from '../../serving/logs.ts';
import type { Topic } from '../live/topic.ts';
import { problemOf } from './problems.ts';

/** Proxies close a stream that is silent for longer. */
const keepAliveMs = 15_000;

/** Sends a topic as server-sent events, until the page leaves or the console stops. */
export function sendEvents(
  c: Context,
  topic: Topic<{ readonly at: string }>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Response {
  return streamSSE(c, async (stream) => {
    const send = (event: string, data: unknown) =>
      void stream.writeSSE({ event, data: JSON.stringify(data) });
    // A signal of its own: listeners on the console's signal would pile up, one per page, until the console ends.
    const ended = AbortSignal.any([signal]);
    const over = new Promise<void>((resolve) => {
      stream.onAbort(resolve);
      if (ended.aborted) resolve();
      else ended.addEventListener('abort', () => resolve(), { once: true });
    });
    const stop = topic.listen({
      state: (state) => send('state', state),
      failed: (error) => send('problem', problemOf(error, log)),
    });
    const alive = setInterval(() => void stream.write(': still here\n\n'), keepAliveMs);
    try {
      await over;
    } finally {
      clearInterval(alive);
      stop();
    }
  });
}
