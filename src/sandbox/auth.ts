import { Buckets, type Limits } from './buckets.ts';
import { Problem } from './problems.ts';

/** What `GET /v1/identity` says of a key. */
export type Identity = {
  readonly name: string;
  readonly dashboard_url: string;
  /** Without `global_access` private incidents, and what belongs to them, are absent. */
  readonly roles: readonly string[];
  readonly team_roles: readonly string[];
  readonly teams: readonly { readonly id: string; readonly name: string }[];
};

export type KeyHolder = {
  /** `undefined`: every scope. */
  scopes: readonly string[] | undefined;
  identity: Identity;
  readonly buckets: Buckets | undefined;
};

export type KeyOptions = {
  /** The key's text; made up if absent. */
  readonly key?: string;
  /** Without it, every scope. */
  readonly scopes?: readonly string[];
  readonly identity?: Partial<Identity>;
};

const IDENTITY: Identity = {
  name: 'Sandbox key',
  dashboard_url: 'https://app.incident.io/sandbox',
  roles: ['viewer', 'global_access'],
  team_roles: [],
  teams: [],
};

/** The account's API keys, each with its own allowance. */
export class Keys {
  readonly #holders = new Map<string, KeyHolder>();
  readonly #limits: Limits | 'off';
  readonly #now: () => number;
  constructor(limits: Limits | 'off', now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  add({ key = `sandbox-key-${this.#holders.size + 1}`, scopes, identity }: KeyOptions): string {
    this.#holders.set(key, {
      scopes,
      identity: { ...IDENTITY, ...identity },
      buckets: this.#limits === 'off' ? undefined : new Buckets(this.#limits, this.#now),
    });
    return key;
  }

  get(key: string): KeyHolder {
    const holder = this.#holders.get(key);
    if (holder === undefined) throw new RangeError('the sandbox has no such key');
    return holder;
  }

  revoke(key: string): void {
    this.#holders.delete(key);
  }

  /** @throws Problem 401 */
  authenticate(header: string | undefined): KeyHolder {
    if (header === undefined) {
      throw new Problem(
        401,
        'authentication_error',
        'missing_authorization_material',
        'No authorization material provided in request',
      );
    }
    const holder = this.#holders.get(/^Bearer (\S+)$/i.exec(header)?.[1] ?? '');
    if (holder === undefined) {
      throw new Problem(401, 'authentication_error', 'unauthenticated', 'Unauthenticated');
    }
    return holder;
  }
}

/** @throws Problem 403 naming the scope */
export function requireScope(holder: KeyHolder, scope: string): void {
  if (holder.scopes === undefined || holder.scopes.includes(scope)) return;
  throw new Problem(
    403,
    'resource_forbidden',
    'missing_required_scope',
    `missing a required scope: ${scope}`,
    { metadata: { scope } },
  );
}
