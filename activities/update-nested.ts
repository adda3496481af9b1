import { setImmediate } from 'node:timers/promises';
import { defined } from '../src/defined.ts';
import { DestinationError } from '../src/errors.ts';
import { parseCell } from '../src/records/items.ts';
import { NestedRows } from '../src/records/nested-rows.ts';
import type { NestedTable } from '../src/tables/nested/nested.ts';
import { sourceColumn } from '../src/tables/nested/nested.ts';
import type { CommitOutcome, CommitRequest, TableState } from '../src/warehouse/warehouse.ts';
import type { ParentKey, Part } from '../src/warehouse/part.ts';
import type { SeenVersion } from '../src/warehouse/committed-rows.ts';
import type { Attempt } from './attempt.ts';
import type { NestedInput, NestedUpdate } from './contract.ts';
import { NestedParts } from './nested-parts.ts';
import type { Step } from './step.ts';

/** A pass that adds a column for a new field is followed by one that fills it in every row; a third is never needed. */
const mostPasses = 3;

/**
 * After this many rows, everything else in the process gets its turn. A quiet run waits dozens of times for a turn: with
 * thousands of rows in between, it took five times as long.
 */
const rowsAtOnce = 50;

/** A nested table that is behind its parent. */
type Due = {
  readonly nested: NestedTable;
  readonly state: TableState | undefined;
  /** Only rows of the parent that were written after this time (ms); if left out, all of them. */
  readonly since?: number;
};

/** What the tables are made from, and where. */
type Source = Pick<Step, 'table' | 'warehouse'> & Pick<NestedInput, 'run'> & Pick<Attempt, 'signal'>;

/**
 * Brings nested tables up to date with the newest version of the table that they come with, from its rows that were
 * written since the version they have seen. Rows of one parent are replaced as a whole.
 *
 * Does everything it can before it throws the first failure. A table that is not updated is behind, never ahead.
 */
export async function updateNested(
  { run }: Pick<NestedInput, 'run'>,
  nested: readonly NestedTable[],
  { table, warehouse }: Pick<Step, 'table' | 'warehouse'>,
  { signal }: Pick<Attempt, 'signal'>,
  onCommit: (table: string, outcome: CommitOutcome) => void = () => undefined,
): Promise<NestedUpdate> {
  const source: Source = { run, table, warehouse, signal };
  try {
    return await catchUp(source, nested, onCommit);
  } finally {
    // Also for tables that are not behind: an attempt that was killed after its commit has left its parts.
    for (const one of nested) await warehouse.discardStaged(one, run.chainId);
  }
}

/** Makes passes until no table is behind. */
async function catchUp(
  source: Source,
  nested: readonly NestedTable[],
  onCommit: (table: string, outcome: CommitOutcome) => void,
): Promise<NestedUpdate> {
  const { table, warehouse, signal } = source;
  const failures: unknown[] = [];
  const figures = new Map<string, NestedUpdate['tables'][number]>();
  const notes = new Set<string>();
  for (let pass = 1; pass <= mostPasses; pass += 1) {
    const upTo = await warehouse.newestVersion(table);
    if (!upTo) break;
    const due = await dueOf(source, nested, upTo);
    if (due.length === 0) break;
    const staged = await stage(source, due, upTo);
    for (const [index, one] of due.entries()) {
      try {
        const parts = staged[index]!;
        const outcome = await commit(source, one, await parts.finish(), upTo);
        onCommit(one.nested.name, outcome);
        const { name } = one.nested;
        if (outcome.status === 'overtaken' && pass === mostPasses)
          notes.add(`${name} is behind: ${outcome.reason}.`);
        if (outcome.status !== 'committed') continue;
        figures.set(name, sumOf(figures.get(name) ?? nothing(name), outcome));
        if (parts.leftOut > 0) notes.add(`${name}: ${parts.leftOut} items without a key were left out.`);
        if (outcome.columnsAdded.length > 0)
          notes.add(`${name}: columns added: ${outcome.columnsAdded.join(', ')}`);
        if (outcome.upkeepSince !== undefined)
          await warehouse.keepUp(one.nested, outcome.upkeepSince, signal);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
  return { tables: [...figures.values()], notes: [...notes] };
}

/** The tables that are behind this version of their parent. */
async function dueOf(
  { table, warehouse }: Source,
  nested: readonly NestedTable[],
  upTo: SeenVersion,
): Promise<Due[]> {
  const due: Due[] = [];
  for (const one of nested) {
    const state = await warehouse.readState(one);
    const changes = await warehouse.changesSince(table, state?.disturbed ? undefined : state?.parent, upTo);
    if (changes === 'nothing') continue;
    due.push({ nested: one, state, ...(changes === 'everything' ? {} : changes) });
  }
  return due;
}

/** Reads the parent's rows once for all tables, and collects the rows of each. */
async function stage(source: Source, due: readonly Due[], upTo: SeenVersion): Promise<NestedParts[]> {
  const { table, warehouse, run, signal } = source;
  const all: NestedParts[] = [];
  try {
    for (const { nested } of due) all.push(await NestedParts.create(warehouse, nested, run.chainId));
    const columns = [...new Set(due.map(({ nested }) => sourceColumn(nested)))];
    const makers = due.map(({ nested, since = -1 }, index) => ({
      since,
      at: columns.indexOf(sourceColumn(nested)),
      rows: new NestedRows(nested),
      parts: all[index]!,
    }));
    const times = due.map(({ since }) => since).filter((since) => since !== undefined);
    const since = times.length === due.length ? Math.min(...times) : undefined;
    const what = { columns: [...table.primaryKey, ...columns], signal, ...defined({ since }) };
    const keyLength = table.primaryKey.length;
    const isThere = await warehouse.eachRow(table, upTo, what, async (rows) => {
      const keys = makers.map((): ParentKey[] => []);
      for (const [index, { cells, syncedAt }] of rows.entries()) {
        if (index % rowsAtOnce === 0) await setImmediate();
        const key = cells.slice(0, keyLength);
        const values = cells.slice(keyLength).map((cell, at) => parsed(table.name, columns[at]!, cell));
        makers.forEach((maker, n) => {
          if (syncedAt <= maker.since) return;
          keys[n]!.push(key.map(textOfKey));
          maker.rows.add(key, values[maker.at]);
        });
      }
      for (const [n, { rows, parts }] of makers.entries())
        await parts.add(rows.take(), keys[n]!, rows.leftOut);
    });
    if (!isThere) throw goneError(table.name);
    return all;
  } catch (error) {
    for (const parts of all) await parts.abort();
    throw error;
  }
}

function textOfKey(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'bigint' ? String(value) : null;
}

function goneError(table: string): DestinationError {
  return new DestinationError(
    `${table}: the version that its nested tables are made from is gone from its Delta log.`,
    'The next run makes them from a newer version.',
  );
}

function parsed(table: string, column: string, cell: unknown): unknown {
  if (typeof cell !== 'string') return null;
  try {
    return parseCell(cell);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new DestinationError(
      `${table}: its column ${column} holds text that is not JSON.`,
      'Another program has changed the table: run resync for it.',
      { cause },
    );
  }
}

/** Commits the rows of a nested table, on top of the version that was read before. */
async function commit(
  { table, warehouse, run }: Source,
  { nested, state, since }: Due,
  { parts, keys }: { readonly parts: readonly Part[]; readonly keys: readonly Part[] },
  upTo: SeenVersion,
): Promise<CommitOutcome> {
  const { account } = (await warehouse.readState(table)) ?? { account: 'unknown' };
  const { by } = nested.itemsOf;
  const request: CommitRequest = {
    chainId: run.chainId,
    parts,
    fullRead: since === undefined,
    plannedOn: state?.counter ?? 'none',
    state: { account, filters: '[]', visibility: 'unknown', parent: upTo },
    ...(since !== undefined && {
      replaces: { by, read: keys, alive: { ...upTo, table: table.name, key: table.primaryKey } },
    }),
    ...defined({ retentionMs: run.retentionMs }),
  };
  return warehouse.commit(nested, request);
}

type Figures = NestedUpdate['tables'][number];

function nothing(table: string): Figures {
  return { table, rows: 0, inserted: 0, updated: 0, dropped: 0 };
}

function sumOf(before: Figures, { rows, inserted, updated, dropped }: Omit<Figures, 'table'>): Figures {
  return {
    table: before.table,
    rows,
    inserted: before.inserted + inserted,
    updated: before.updated + updated,
    dropped: before.dropped + dropped,
  };
}
