import { randomBytes } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import type { KeyFacts } from '../../connections/key-facts.ts';

/** A key on its way into a connection. It is only in this process's memory. */
export type Draft = {
  readonly key: string;
  readonly baseUrl: string;
  readonly facts: KeyFacts;
};

const keptMs = 30 * 60_000;
/** More than anyone links at the same time; without a limit, a client could fill the memory with keys. */
const most = 50;

/** The keys that were checked and not yet linked, each under a name that cannot be guessed. */
export class Drafts {
  readonly #drafts = new Map<string, Draft & { readonly at: number }>();

  add(draft: Draft): string {
    const id = randomBytes(16).toString('base64url');
    this.replace(id, draft);
    return id;
  }

  replace(id: string, draft: Draft): void {
    const now = Date.now();
    for (const [other, { at }] of this.#drafts) if (at < now - keptMs) this.#drafts.delete(other);
    this.#drafts.delete(id);
    if (this.#drafts.size >= most) this.#drafts.delete([...this.#drafts.keys()][0]!);
    this.#drafts.set(id, { ...draft, at: now });
  }

  /** Throws `UsageError` if the key was forgotten. */
  get(id: string): Draft {
    const draft = this.#drafts.get(id);
    if (draft && draft.at >= Date.now() - keptMs) return draft;
    throw new UsageError(
      'The API key has been forgotten: it is kept for half an hour, and only until it is linked.',
      'Paste it again.',
    );
  }

  forget(id: string): void {
    this.#drafts.delete(id);
  }
}
