import { Dice, hash, saltOf } from './data/random.ts';

/** Something that goes wrong with one response. */
export type Fault =
  /** An error in the API's shape. `Retry-After` is in seconds, or the date that is so many seconds away. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly retryAfterSeconds?: number;
      readonly retryAfterIs?: 'seconds' | 'date';
    }
  /** An HTML page, as a proxy between client and API would send. */
  | { readonly kind: 'html'; readonly status: number }
  /**
   * Only the first half of the response. `content-length` and `chunked` end properly, as if that were all;
   * `aborted` announces the full length and then closes the connection.
   */
  | { readonly kind: 'cut'; readonly framing: 'content-length' | 'chunked' | 'aborted' }
  /** The headers, then nothing more. */
  | { readonly kind: 'stall' }
  /** The connection is reset before the response starts. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** A good response without the `Date` header, or without the rate limit headers. */
  | { readonly kind: 'without'; readonly headers: 'date' | 'rate-limit' }
  /** A good page whose next cursor is the one it was requested with, or `after` if given. */
  | { readonly kind: 'repeat-cursor'; readonly after?: string }
  /** A good page without `pagination_meta`, so that nothing says whether more rows follow. */
  | { readonly kind: 'no-meta' }
  /**
   * At most this many of the rows, 0 for none. With `after: 'last-row'` the next page continues after them, so no row
   * is lost; with `none` the list seems to end here, though `total_record_count` may say otherwise.
   */
  | { readonly kind: 'short'; readonly rows: number; readonly after: 'last-row' | 'none' }
  /** A page without rows that names yet another cursor, whatever cursor it was requested with. */
  | { readonly kind: 'endless' }
  /** Status 200 with this body instead, to try JSON of the wrong shape. */
  | { readonly kind: 'body'; readonly body: unknown };

export type SandboxRequest = {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly table: string | undefined;
};

/** When a fault happens. All conditions must hold; with none, it happens to every request. */
export type AnswerRule = {
  readonly fault: Fault;
  /** At most this many times. */
  readonly times?: number;
  /** The share of requests it happens to, 0 to 1. The sandbox's seed decides which ones. */
  readonly fraction?: number;
  readonly table?: string;
  readonly when?: (request: SandboxRequest) => boolean;
};

/**
 * Rows that lack a field in all responses, and in `Sandbox.records`. A filter on that field leaves them out, as the API
 * would: only a request without the filter returns them.
 */
export type RowRule = {
  readonly fault: { readonly kind: 'lacking'; readonly field: string };
  /** The share of rows, 0 to 1; all of them if left out. The row's id decides which ones. */
  readonly fraction?: number;
  readonly table?: string;
};

export type FaultRule = AnswerRule | RowRule;

/** Faults that pass on their own: what `faults: 0.05` mixes. */
const passingFaults: readonly Fault[] = [
  { kind: 'error', status: 500 },
  { kind: 'error', status: 503, retryAfterSeconds: 1 },
  { kind: 'html', status: 502 },
  { kind: 'cut', framing: 'aborted' },
  { kind: 'reset' },
];

/** Rules under which this share of all requests fails, with faults that pass on their own. */
export function commonFaults(fraction: number): FaultRule[] {
  if (!(fraction >= 0 && fraction <= 1)) throw new RangeError('the share of faults must be between 0 and 1');
  // A rule only sees the requests that the rules before it let through, so later rules need a larger share.
  return passingFaults.map((fault, i) => ({
    fault,
    fraction: fraction / passingFaults.length / (1 - (fraction * i) / passingFaults.length),
  }));
}

/** The rules that are in force. */
export class Faults {
  readonly #answerRules: { readonly rule: AnswerRule; left: number }[] = [];
  #rowRules: readonly RowRule[] = [];
  readonly #dice: Dice;
  constructor(seed: number) {
    this.#dice = new Dice(hash(seed, 0xfa, 0));
  }

  /** Adds a rule; if several match a request, the earliest wins. Returns a function that removes the rule. */
  add(rule: FaultRule): () => void {
    if (isRowRule(rule)) {
      const added = { ...rule };
      this.#rowRules = [...this.#rowRules, added];
      return () => {
        this.#rowRules = this.#rowRules.filter((other) => other !== added);
      };
    }
    const entry = { rule, left: rule.times ?? Infinity };
    this.#answerRules.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  /** The fault of a request, if it has one. */
  next(request: SandboxRequest): Fault | undefined {
    for (const entry of this.#answerRules) {
      const { rule } = entry;
      if (entry.left <= 0) continue;
      if (rule.table !== undefined && rule.table !== request.table) continue;
      if (rule.when?.(request) === false) continue;
      if (rule.fraction !== undefined && !this.#dice.chance(rule.fraction)) continue;
      entry.left--;
      return rule.fault;
    }
    return undefined;
  }

  /** The rules about rows of a table. */
  rowRules(table: string): readonly RowRule[] {
    // Without any, the usual case, this is asked for every row of every page.
    if (this.#rowRules.length === 0) return this.#rowRules;
    return this.#rowRules.filter((rule) => rule.table === undefined || rule.table === table);
  }
}

function isRowRule(rule: FaultRule): rule is RowRule {
  return rule.fault.kind === 'lacking';
}

/** The fields that a row lacks under these rules. */
export function lackedBy(id: string, rules: readonly RowRule[]): readonly string[] {
  return rules
    .filter(({ fault, fraction = 1 }) => hash(saltOf(fault.field), 0, saltOf(id)) < fraction * 2 ** 32)
    .map(({ fault }) => fault.field);
}
