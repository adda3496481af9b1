import { Dice, hash } from './data/random.ts';
import type { ApiRecord } from './data/source.ts';
import { momentOf, timestamp } from './data/times.ts';
import type { SandboxTable } from './endpoints.ts';
import type { Sandbox } from './sandbox.ts';

/** What may happen to an account. */
export type LifeKind =
  /** A row is written, or made, and stamped with the moment it can be seen. */
  | 'change'
  | 'create'
  /** The same, stamped up to four minutes before it can be seen: a transaction that commits late. */
  | 'late-change'
  | 'late-create'
  /** A copy of something else in a row changes (somebody is renamed), and `updated_at` does not. */
  | 'silent'
  /** An incident gets a status of any category: it may leave or enter what the API shows by default. */
  | 'category'
  /** An incident changes its mode, and its follow-ups the pass they come in, without a stamp of their own. */
  | 'mode'
  | 'remove';

export type Happening = {
  readonly kind: LifeKind;
  readonly table: SandboxTable;
  readonly id: string;
  /** As it is now; absent where it is gone. */
  readonly record?: ApiRecord;
};

export type LifeOptions = {
  readonly seed: number;
  /** Whom it happens to; all that people write to where it is left out. */
  readonly tables?: readonly SandboxTable[];
  /** Never of these kinds. */
  readonly without?: readonly LifeKind[];
  readonly onStep?: (happening: Happening) => void;
};

/** The longest time between a row's stamp and the moment it can be seen; the vendor speaks of minutes. */
const longestLateMs = 4 * 60_000;

/** Of a hundred steps. */
const often: { readonly [K in LifeKind]: number } = {
  change: 32,
  create: 18,
  'late-change': 12,
  'late-create': 10,
  silent: 10,
  category: 7,
  mode: 3,
  remove: 8,
};

/** The text people write in a row of the table. */
const texts: { readonly [T in SandboxTable]?: string } = {
  incidents: 'name',
  incident_updates: 'message',
  follow_ups: 'title',
  alerts: 'title',
  escalations: 'title',
  users: 'name',
  schedules: 'name',
};

const modes = ['standard', 'retrospective', 'test', 'tutorial'];

/** Something that happens with every call. */
export type Life = () => void;

/**
 * The life of an account: rows come, change and go, a step a call. The same seed and the same calls between the
 * same requests make the same life.
 */
export function lifeOf(
  sandbox: Sandbox,
  { seed, tables = Object.keys(texts) as SandboxTable[], without = [], onStep }: LifeOptions,
): Life {
  const dice = new Dice(hash(seed, 0x11fe, 0));
  const kinds = (Object.keys(often) as LifeKind[])
    .filter((kind) => !without.includes(kind))
    .flatMap((kind) => Array.from({ length: often[kind] }, () => kind));
  let steps = 0;

  const lateMs = (kind: LifeKind) => (kind.startsWith('late') ? dice.next() * longestLateMs : 0);
  /** A patch with its stamp. No row's stamp goes back: who writes it has waited for the last one. */
  const stamped = (kind: LifeKind, before: ApiRecord, patch: ApiRecord): ApiRecord => {
    const last = momentOf(before['updated_at']);
    if (last === undefined) return patch;
    return { ...patch, updated_at: timestamp(Math.max(last, sandbox.now() - lateMs(kind))) };
  };

  const happenTo = (
    kind: Exclude<LifeKind, 'create' | 'late-create'>,
    table: SandboxTable,
    id: string,
  ): ApiRecord | undefined => {
    const text = `step ${steps}`;
    switch (kind) {
      case 'change':
      case 'late-change':
        return sandbox.change(table, id, (before) => stamped(kind, before, { [texts[table]!]: text }));
      case 'silent':
        return sandbox.change(table, id, (before) => ({ ...before, ...renamed(before, text, dice) }));
      case 'category': {
        const status = dice.pick([...sandbox.records('incident_statuses')]);
        return sandbox.change(table, id, (before) => stamped(kind, before, { incident_status: status }));
      }
      case 'mode':
        return sandbox.change(table, id, (before) => stamped(kind, before, { mode: dice.pick(modes) }));
      case 'remove':
        sandbox.remove(table, id);
        return undefined;
    }
  };

  return () => {
    steps += 1;
    const kind = dice.pick(kinds);
    const table = kind === 'category' || kind === 'mode' ? 'incidents' : dice.pick(tables);
    if (!tables.includes(table)) return;
    if (kind === 'create' || kind === 'late-create') {
      const made = sandbox.create(table, {}, { stampedAgoMs: lateMs(kind) });
      onStep?.({ kind, table, id: String(made['id']), record: made });
      return;
    }
    const id = sandbox.idAtShare(table, dice.next());
    if (id === undefined) return;
    const record = happenTo(kind, table, id);
    onStep?.({ kind, table, id, ...(record && { record }) });
  };
}

/** One of the row's copies of something else under another name. */
function renamed(record: ApiRecord, name: string, dice: Dice): ApiRecord {
  const copies = Object.entries(record).flatMap(([field, value]) => {
    const copy = withName(value, name);
    return copy === undefined ? [] : [{ [field]: copy }];
  });
  return copies.length === 0 ? {} : dice.pick(copies);
}

/** The value with another name in it, at whatever depth it has one first. */
function withName(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('name' in value) return { ...value, name };
  for (const [key, below] of Object.entries(value)) {
    const copy = withName(below, name);
    if (copy === undefined) continue;
    return Array.isArray(value) ? value.with(Number(key), copy) : { ...value, [key]: copy };
  }
  return undefined;
}
