import { type Webhook, WebhookVerificationError } from 'standardwebhooks';

/** How far the time of a delivery may be from this machine's clock, in seconds: the library's own limit. */
const toleranceSeconds = 5 * 60;

/** The headers that a signature covers, and the signatures. */
export type SignedHeaders = {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
};

/**
 * What the signature says about a delivery.
 * `new`: the first delivery of its message · `resent`: the message was accepted before, and was sent again because the
 * answer was lost · `replayed`: a copy of an accepted delivery, which the sender never makes · `old`: its time is
 * too far from this machine's clock, or missing · `badly_signed`: no secret matches.
 */
export type Verdict = 'new' | 'resent' | 'replayed' | 'old' | 'badly_signed';

/** Checks the deliveries to one connection, and remembers the messages that were accepted. */
export class Deliveries {
  /** The time of each message's newest delivery, in seconds; kept until a copy of that delivery would be too old. */
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
    // Each attempt to deliver a message has its own time; with a shared one, later attempts would all be too old.
    if (before !== undefined && at <= before) return 'replayed';
    this.#taken.set(id, at);
    return before === undefined ? 'new' : 'resent';
  }

  #sweep(): void {
    const now = Date.now() / 1_000;
    // Scanning all of them on each delivery would cost more than the check itself.
    if (now - this.#sweptAt < toleranceSeconds / 5) return;
    this.#sweptAt = now;
    for (const [id, at] of this.#taken) {
      if (at < now - toleranceSeconds) this.#taken.delete(id);
    }
  }
}

/** When a delivery was sent, in seconds since the epoch; NaN if it does not say. */
export function sentAtSeconds(headers: SignedHeaders): number {
  // Parsed as the library does it: two texts that are the same time to the library must be the same here.
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
