import { Dice, hash } from './data/random.ts';
import type { Table } from '../tables/table.ts';
import type { ApiRecord } from './data/source.ts';
import { fixedLists } from './data/sources.ts';
import { momentOf, timestamp } from './data/times.ts';
import type { Sandbox } from './sandbox.ts';

/** What can happen in an account. */
export type LifeKind =
  /** A row is changed or created, and stamped with the moment it becomes visible. */
  | 'change'
  | 'create'
  /** The same, but stamped up to four minutes before it becomes visible, like a transaction that commits late. */
  | 'late-change'
  | 'late-create'
  /** An object nested in a row changes (a user is renamed, say), but the row's `updated_at` does not. */
  | 'silent'
  /** An incident moves to a status of any category, so the API may start or stop hiding it by default. */
  | 'category'
  /** An incident changes its mode. Its follow-ups then appear in another pass, with the same `updated_at`. */
  | 'mode'
  | 'remove';

export type Happening = {
  readonly kind: LifeKind;
  readonly table: string;
  /** As in `Sandbox.idOf`. */
  readonly id: string;
  /** The row as it is now; absent if it was removed. */
  readonly record?: ApiRecord;
};

export type LifeOptions = {
  readonly seed: number;
  /** The tables it happens to. By default, those that people write to. */
  readonly tables?: readonly string[];
  /** Kinds that never happen. */
  readonly without?: readonly LifeKind[];
  readonly onStep?: (happening: Happening) => void;
};

/** The longest time between a row's stamp and the moment it becomes visible. The vendor says "minutes". */
const longestLateMs = 4 * 60_000;

/** How often each kind happens, per hundred steps. */
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

/** Columns for what people write, the most telling first. */
const texts = ['name', 'title', 'message', 'label', 'summary', 'description', 'text', 'content', 'reason'];

/** The column that changes when somebody edits a row of the table, if it has one. */
function textIn({ columns, primaryKey }: Table): string | undefined {
  return texts.find((name) => columns[name]?.type === 'text' && !primaryKey.includes(name));
}

const modes = ['standard', 'retrospective', 'test', 'tutorial'];

/** Makes one thing happen. */
export type Life = () => void;

/**
 * Makes an account live: each call creates, changes or removes a row. The same seed, called at the same points
 * between the same requests, always gives the same life.
 */
export function lifeOf(
  sandbox: Sandbox,
  { seed, tables = livelyTables(sandbox), without = [], onStep }: LifeOptions,
): Life {
  const texts = new Map(sandbox.tables.map((table) => [table.name, textIn(table)]));
  const dice = new Dice(hash(seed, 0x11fe, 0));
  const kinds = (Object.keys(often) as LifeKind[])
    .filter((kind) => !without.includes(kind))
    .flatMap((kind) => Array.from({ length: often[kind] }, () => kind));
  let steps = 0;

  const lateMs = (kind: LifeKind) => (kind.startsWith('late') ? dice.next() * longestLateMs : 0);
  /** The patch with its `updated_at`, which never goes back: a writer waits for the one before it to commit. */
  const stamped = (kind: LifeKind, before: ApiRecord, patch: ApiRecord): ApiRecord => {
    const last = momentOf(before['updated_at']);
    if (last === undefined) return patch;
    return { ...patch, updated_at: timestamp(Math.max(last, sandbox.now() - lateMs(kind))) };
  };

  const happenTo = (
    kind: Exclude<LifeKind, 'create' | 'late-create'>,
    table: string,
    id: string,
  ): ApiRecord | undefined => {
    const text = `step ${steps}`;
    switch (kind) {
      case 'change':
      case 'late-change':
        return sandbox.change(table, id, (before) => stamped(kind, before, edited(texts.get(table), text)));
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
      onStep?.({ kind, table, id: sandbox.idOf(table, made), record: made });
      return;
    }
    const id = sandbox.idAtShare(table, dice.next());
    if (id === undefined) return;
    const record = happenTo(kind, table, id);
    onStep?.({ kind, table, id, ...(record && { record }) });
  };
}

/** All tables but the short lists that an account sets up once. */
function livelyTables(sandbox: Sandbox): string[] {
  return sandbox.tables.map(({ name }) => name).filter((name) => !(name in fixedLists));
}

/** A row of a table without text only gets a new stamp. */
function edited(column: string | undefined, text: string): ApiRecord {
  return column === undefined ? {} : { [column]: text };
}

/** The row's change if one of its nested objects, picked at random, is renamed. */
function renamed(record: ApiRecord, name: string, dice: Dice): ApiRecord {
  const copies = Object.entries(record).flatMap(([field, value]) => {
    const copy = withName(value, name);
    return copy === undefined ? [] : [{ [field]: copy }];
  });
  return copies.length === 0 ? {} : dice.pick(copies);
}

/** The value with its first nested `name` replaced; `undefined` if it has none. */
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
