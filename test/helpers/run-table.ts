import { Clients } from '../../activities/clients.ts';
import { commitSync } from '../../activities/commit-sync.ts';
import type { Extracted, ExtractInput, Look, Plan, PlanInput, TableRun } from '../../activities/contract.ts';
import { extractBatch } from '../../activities/extract-batch.ts';
import { extractChildren } from '../../activities/extract-children.ts';
import { planSync } from '../../activities/plan-sync.ts';
import { toMethod } from '../../src/connections/runs/input.ts';
import { SourceError } from '../../src/errors.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { defaultTableSettings } from '../../src/settings/settings.ts';
import { columnValue } from '../../src/records/rows.ts';
import { asChild } from '../../src/tables/parents.ts';
import type { ColumnType, Table } from '../../src/tables/table.ts';
import type { CommitOutcome } from '../../src/warehouse/warehouse.ts';
import { afterBatch, batchOf, type Reading, startReading } from '../../workflows/windows.ts';
import { isReachable } from './truth.ts';
import { type Place, readRows } from './warehouse.ts';

const call = { signal: new AbortController().signal };
const keyVariable = 'INCIDENT_IO_RUN_TABLE_KEY';

export type Ran = { readonly plan: Plan; readonly reading: Reading; readonly outcome: CommitOutcome };

export type RunTableOptions = Partial<Pick<PlanInput, 'fullReadEveryMs' | 'syncMethod'>> & {
  readonly limits?: Partial<TableRun['limits']>;
  /** The commit may find the listing contradicted. */
  readonly look?: Look;
  /** How often a step that fails with a passing error is tried again. */
  readonly retries?: number;
  /** Called with each batch; what it returns counts. */
  readonly onBatch?: (input: ExtractInput, read: () => Promise<Extracted>) => Promise<Extracted>;
};

let runs = 0;

/** One run of a table with the real activities and the real workflow state, without Temporal. */
export async function runTable(
  { warehouse }: Place,
  sandbox: Sandbox,
  table: Table,
  { limits, look, retries = 0, onBatch = (_input, read) => read(), ...method }: RunTableOptions = {},
): Promise<Ran> {
  process.env[keyVariable] = sandbox.key;
  runs += 1;
  const identity: TableRun = {
    table: table.name,
    chainId: `run-${runs}`,
    apiKey: { env: keyVariable },
    baseUrl: sandbox.url,
    account: 'unknown',
    limits: { batchRows: 10_000, batchMs: 60_000, giveUpAfterMs: 60_000, ...limits },
  };
  const clients = new Clients();
  const parentName = asChild(table)?.parent.table;
  const parent = sandbox.tables.find(({ name }) => name === parentName);
  const step = { table, warehouse, clients, call, ...(parent && { parent }) };
  const input = { run: identity, ...toMethod(defaultTableSettings(table)), ...method };
  const plan = await again(retries, () => planSync(input, step));
  const run = { ...identity, account: plan.state.account };
  const attempt = { ...call, waited: () => {}, waitsUntil: () => {} };
  const world = { table, warehouse, clients, attempt, stopping: () => false };
  let reading = startReading(plan);
  while (reading.open.length > 0) {
    const { id } = reading.open[0]!.window;
    const batch: ExtractInput = {
      run,
      ...batchOf(reading, id),
      ...(plan.parents && { parents: plan.parents.pick }),
    };
    const read = () =>
      parent && batch.window.parents
        ? extractChildren(batch, { ...world, parent })
        : extractBatch(batch, world);
    const next = afterBatch(reading, id, await onBatch(batch, () => again(retries, read)));
    if ('exhausted' in next) throw new Error(next.exhausted);
    reading = next;
  }
  const { parts, parents } = reading;
  const commit = { run, plan, parts, ...(parents && { parents }), ...(look && { look }) };
  const outcome = await again(retries, () => commitSync(commit, step));
  return { plan, reading, outcome };
}

async function again<T>(retries: number, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SourceError) || error.retry === 'never' || tries >= retries) throw error;
    }
  }
}

/** The rows that a table lacks, has too many of, or has with another value, by their key. */
export async function wrongRows(place: Place, sandbox: Sandbox, table: Table): Promise<string[]> {
  const shown = (of: (column: string) => unknown) =>
    JSON.stringify(
      Object.entries(table.columns).map(([name, { type }]) => comparable(type, of(name) ?? null)),
    );
  const held = (await readRows(place, table)).map((row) => shown((column) => row[column]));
  const reachable = [...sandbox.records(table.name)].filter((record) =>
    isReachable(table, record, sandbox.now()),
  );
  const records = reachable.map((record) => shown((column) => columnValue(table, column, record, undefined)));
  const lacks = records.filter((row) => !held.includes(row)).map((row) => `lacks ${row}`);
  const has = held.filter((row) => !records.includes(row)).map((row) => `has ${row}`);
  return [...lacks, ...has, ...(held.length === new Set(held).size ? [] : ['a row twice'])];
}

/** A value as the table and the account both have it. */
function comparable(type: ColumnType, value: unknown): unknown {
  if (value === null) return null;
  if (type === 'timestamp') return Date.parse((value as string).replace(' ', 'T').replace(/\+00$/, 'Z'));
  if (type === 'json') return JSON.stringify(typeof value === 'string' ? JSON.parse(value) : value);
  return `${value as string | number | boolean}`;
}
