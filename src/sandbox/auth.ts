import type { Buckets } from './buckets.ts';
import { Problem } from './problems.ts';

/** What `GET /v1/identity` says about a key. */
export type Identity = {
  readonly name: string;
  readonly dashboard_url: string;
  /** Without `global_access`, the key does not see private incidents or their updates and follow-ups. */
  readonly roles: readonly string[];
  readonly team_roles: readonly string[];
  readonly teams: readonly { readonly id: string; readonly name: string }[];
};

export type KeyHolder = {
  /** `undefined` means every scope. */
  scopes: readonly string[] | undefined;
  identity: Identity;
  readonly buckets: Buckets | undefined;
};

export type KeyOptions = {
  /** The key itself; the sandbox makes one up if you leave it out. */
  readonly key?: string;
  /** Every scope if you leave it out. */
  readonly scopes?: readonly string[];
  readonly identity?: Partial<Identity>;
};

const defaultIdentity: Identity = {
  name: 'Sandbox key',
  dashboard_url: 'https://app.incident.io/sandbox',
  roles: ['viewer', 'global_access'],
  team_roles: [],
  teams: [],
};

/** The account's API keys, each with its own rate limit. */
export class Keys {
  readonly #holders = new Map<string, KeyHolder>();
  readonly #newBuckets: () => Buckets | undefined;
  constructor(newBuckets: () => Buckets | undefined) {
    this.#newBuckets = newBuckets;
  }

  add({ key = `sandbox-key-${this.#holders.size + 1}`, scopes, identity }: KeyOptions): string {
    this.#holders.set(key, {
      scopes,
      identity: { ...defaultIdentity, ...identity },
      buckets: this.#newBuckets(),
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

  setScopes(key: string, scopes: readonly string[]): void {
    this.get(key).scopes = scopes;
  }

  setIdentity(key: string, identity: Partial<Identity>): void {
    const holder = this.get(key);
    holder.identity = { ...holder.identity, ...identity };
  }

  /** The holder of the key in an `Authorization` header. Throws a 401 if there is none. */
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

/** Throws a 403 that names the scope if the key lacks it. */
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
