import type { IncomingMessage } from 'node:http';

/** The largest body that is read. An event holds one row, about ten thousand bytes at most. */
export const largestBody = 2 ** 20;

/** The limit for all bodies in memory together: anyone can send them, since a secret is checked only after reading. */
const largestTogether = 64 * 2 ** 20;

/** Reads bodies, as many at the same time as the memory limit allows. */
export class Bodies {
  #bytes = 0;

  /** The bytes of a request as they were signed, or the reason why they were not read. */
  async read(request: IncomingMessage): Promise<Buffer | 'too_large' | 'busy'> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        this.#bytes += chunk.length;
        if (bytes > largestBody) return 'too_large';
        if (this.#bytes > largestTogether) return 'busy';
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } finally {
      this.#bytes -= bytes;
    }
  }
}

/** The type of an event; `undefined` if the body is not an event. */
export function eventTypeOf(body: Buffer): string | undefined {
  let event: unknown;
  try {
    event = JSON.parse(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const type = typeof event === 'object' && event !== null && 'event_type' in event && event.event_type;
  return typeof type === 'string' ? type : undefined;
}
