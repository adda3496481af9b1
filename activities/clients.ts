import { defined } from '../src/defined.ts';
import { AccountMismatchError } from '../src/errors.ts';
import { type Call, type Client, createClient } from '../src/incident-io/client.ts';
import { type Identity, readIdentity } from '../src/incident-io/identity.ts';
import type { ResolvedRules } from '../src/records/column-rules.ts';
import { resolveHashKey } from '../src/settings/hash-key.ts';
import { describeKey, resolveKey, type Vault } from '../src/settings/key.ts';
import type { TableRun } from './contract.ts';
import { KnownIdentity } from './known-identity.ts';
import type { Warehouses } from './warehouses.ts';

export type ClientsOptions = {
  /** Milliseconds for one request; by default the client's own limit. */
  readonly timeoutMs?: number;
  /** Where a platform's own key references are looked up. */
  readonly vault?: Vault;
  /** Returns where the key of a run is, if the run itself does not decide that. */
  readonly sourceOf?: Warehouses['sourceOf'];
};

/** What determines the client of a run. */
type KeyOfRun = Pick<TableRun, 'apiKey' | 'baseUrl' | 'destination'>;

type KnownKey = {
  readonly client: Client;
  identity?: KnownIdentity;
  /** The answer to the request under way; `undefined` once that fails, or once the API refuses it for now. */
  asking?: Promise<KnownIdentity | undefined>;
};

/**
 * The clients of this process, one per key and base URL, so that all its requests share one pace. The key is looked
 * up at every call, so a corrected key works without a restart.
 */
export class Clients {
  readonly #known = new Map<string, KnownKey>();
  readonly #options: ClientsOptions;

  constructor(options: ClientsOptions = {}) {
    this.#options = options;
  }

  /** Throws `KeyMissingError`. */
  async clientOf(run: KeyOfRun): Promise<Client> {
    return (await this.#knownOf(run)).client;
  }

  /** Asks whose key it is, and refuses an account other than the run's. Throws `AccountMismatchError`. */
  async identify(run: TableRun, call: Call): Promise<Identity> {
    const known = await this.#knownOf(run);
    const answer = await readIdentity(known.client, call);
    known.identity = new KnownIdentity(answer);
    assertAccount(run, answer);
    return answer;
  }

  /** The same, but asks only if the last answer about this key is too old: a quiet run then needs no request for it. */
  async identityOf(run: TableRun, call: Call): Promise<Identity> {
    const known = await this.#knownOf(run);
    const recent = known.identity?.now() ?? (known.asking && (await answerOf(known.asking, call))?.now());
    if (!recent) return this.#ask(known, run, call);
    assertAccount(run, recent);
    return recent;
  }

  /** The same check, with one request per key and process: the key behind a reference may be replaced during a run. */
  async assertAccount(run: TableRun, call: Call): Promise<void> {
    const known = await this.#knownOf(run);
    const identity = known.identity ?? (known.asking && (await answerOf(known.asking, call)));
    if (identity) assertAccount(run, identity.answer);
    else await this.#ask(known, run, call);
  }

  /** Asks, and lets others wait for the answer meanwhile. */
  async #ask(known: KnownKey, run: TableRun, call: Call): Promise<Identity> {
    let tell: (answer: KnownIdentity | undefined) => void = () => undefined;
    const asking = new Promise<KnownIdentity | undefined>((resolve) => (tell = resolve));
    known.asking = asking;
    const onRefused = (until?: number) => {
      // Others would wait as long without knowing why.
      tell(undefined);
      call.onRefused?.(until);
    };
    try {
      return await this.identify(run, { ...call, onRefused });
    } finally {
      tell(known.identity);
      if (known.asking === asking) delete known.asking;
    }
  }

  /** The rules for the columns of a run. Throws `KeyMissingError` if the hash key is not there. */
  async rulesOf({ columns = {} }: Pick<TableRun, 'columns'>): Promise<ResolvedRules> {
    const { hashKey, ...rules } = columns;
    if (rules.personal !== 'hash' || !hashKey) return rules;
    return { ...rules, hashKey: await resolveHashKey(hashKey, this.#options.vault) };
  }

  /** Identifies the key of a run without looking it up: work with the same key shares its rate limit. */
  ownerOf(run: KeyOfRun): string {
    const { apiKey, baseUrl } = this.#sourceOf(run);
    return `${baseUrl} ${describeKey(apiKey)}`;
  }

  #sourceOf(run: KeyOfRun): Pick<TableRun, 'apiKey' | 'baseUrl'> {
    return this.#options.sourceOf?.(run) ?? run;
  }

  async #knownOf(run: KeyOfRun): Promise<KnownKey> {
    const { apiKey: reference, baseUrl } = this.#sourceOf(run);
    const { vault, timeoutMs } = this.#options;
    const apiKey = await resolveKey(reference, vault);
    const name = `${baseUrl} ${apiKey}`;
    let known = this.#known.get(name);
    if (!known) {
      known = { client: createClient({ apiKey, baseUrl, ...defined({ timeoutMs }) }) };
      this.#known.set(name, known);
    }
    return known;
  }
}

/**
 * The answer to a request that another run has sent and waits for: the tables of a connection start together, and each
 * would ask. `undefined` if it fails: then each asks for itself, with its own patience.
 */
async function answerOf(
  asking: NonNullable<KnownKey['asking']>,
  { signal }: Call,
): Promise<KnownIdentity | undefined> {
  signal.throwIfAborted();
  let cancel = () => undefined as void;
  const cancelled = new Promise<never>((_, reject) => {
    cancel = () => reject(signal.reason as Error);
    signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([asking, cancelled]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function assertAccount(run: TableRun, { account }: Identity): void {
  if (account === 'unknown' || run.account === 'unknown' || account === run.account) return;
  throw new AccountMismatchError(
    `${run.table}: the key in ${describeKey(run.apiKey)} belongs to ${account}, the run to ${run.account}.`,
  );
}
