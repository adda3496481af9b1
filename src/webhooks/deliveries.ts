import { type Webhook, WebhookVerificationError } from 'standardwebhooks';

/** How far the time of a delivery may be from this machine's clock, in seconds: the limit that the library has. */
const toleranceSeconds = 5 * 60;

/** The headers that a signature covers, and the signatures. */
export type SignedHeaders = {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
};

/**
 * What a delivery is, by its signature.
 * `new`: the first one of its message · `resent`: the message was taken before, and is sent again because the answer
 * was lost · `replayed`: a copy of a delivery that was taken before, which the sender never makes · `old`: its time is
 * too far from this machine's clock, or missing · `badly_signed`: no secret fits.
 */
export type Verdict = 'new' | 'resent' | 'replayed' | 'old' | 'badly_signed';

/** The deliveries to one connection: checks them, and knows the messages that were taken. */
export class Deliveries {
  /** The newest time of each message's deliveries, in seconds, as long as a copy of that would not be too old. */
  readonly #taken = new Map<string, number>();
  #sweptAt = 0;

  /** @param secrets are tried one after the other */
  take(body: Buffer, headers: SignedHeaders, secrets: readonly Webhook[]): Verdict {
    const id = headers['webhook-id'];
    const at = sentAtSeconds(headers);
    const isSigned = secrets.some((secret) => isSignedWith(secret, body, headers));
    if (!isSigned) return isNear(at) ? 'badly_signed' : 'old';
    this.#sweep();
    const before = this.#taken.get(id);
    // Each attempt to deliver a message has its own time, or the later ones would all be too old.
    if (before !== undefined && at <= before) return 'replayed';
    this.#taken.set(id, at);
    return before === undefined ? 'new' : 'resent';
  }

  #sweep(): void {
    const now = Date.now() / 1_000;
    // Looking at all of them for each delivery would cost more than to check it.
    if (now - this.#sweptAt < toleranceSeconds / 5) return;
    this.#sweptAt = now;
    for (const [id, at] of this.#taken) {
      if (at < now - toleranceSeconds) this.#taken.delete(id);
    }
  }
}

/** When a delivery was sent, in seconds since the epoch; NaN if it does not say. */
export function sentAtSeconds(headers: SignedHeaders): number {
  // As the library reads it: what it takes for the same time must count as the same here.
  return Number.parseInt(headers['webhook-timestamp'], 10);
}

function isNear(seconds: number): boolean {
  return Math.abs(Date.now() / 1_000 - seconds) <= toleranceSeconds;
}

function isSignedWith(secret: Webhook, body: Buffer, headers: SignedHeaders): boolean {
  try {
    secret.verify(body, headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
