import { at } from '../../src/sandbox/data/random.ts';
import type { ApiRecord, Table } from '../../src/tables/table.ts';
import { type DeltaRsTable, readWithDeltaRs } from './delta-reader.ts';
import type { PlayedAccount } from './played-account.ts';
import type { Played } from './scenario.ts';
import { declaredTypesOf, differences, normal } from './truth.ts';

type Row = DeltaRsTable['rows'][number];

/**
 * What is wrong with a table after its last run. After a full read it must equal the account. After an incremental
 * run it must hold each existing row as last stamped; it may lag behind on removed rows and on silent changes.
 */
export async function wrongIn(
  name: Played,
  folder: string,
  account: PlayedAccount,
  fullRead: boolean,
): Promise<string[]> {
  const table = account.declared.get(name)!;
  const { rows, schema } = await readWithDeltaRs(folder);
  const records = new Map([...account.sandbox.records(name)].map((record) => [String(record['id']), record]));
  const byId = new Map(rows.map((row) => [String(row['id']), row]));
  const wrong: string[] = [];
  if (byId.size !== rows.length) wrong.push(`${name}: a key appears twice`);
  const columns = new Set(schema.map((field) => field.name));
  for (const column of Object.keys(table.columns)) {
    if (!columns.has(column)) wrong.push(`${name} has no column ${column}`);
  }
  const modes = new Map(
    [...account.sandbox.records('incidents')].map((incident) => [incident['id'], incident['mode']]),
  );
  for (const [id, record] of records) {
    const row = byId.get(id);
    if (!row) {
      wrong.push(`${name} ${id} is missing`);
      continue;
    }
    const versions = fullRead ? [record] : (account.versions.get(id) ?? []);
    wrong.push(...wrongInRow(row, versions, table).map((what) => `${name} ${id} ${what}`));
    if (!fullRead) continue;
    wrong.push(...wrongAfterFullRead(row, record, table, modes).map((what) => `${name} ${id} ${what}`));
  }
  for (const id of byId.keys()) {
    if (records.has(id) || (!fullRead && account.gone.has(id))) continue;
    wrong.push(`${name} ${id} should not be there`);
  }
  return wrong;
}

function wrongInRow(row: Row, versions: readonly ApiRecord[], table: Table): string[] {
  const wrong: string[] = [];
  const odd = versions.map((version) => differences(row, version, table, declaredTypesOf(table)));
  if (!odd.some(({ length }) => length === 0))
    wrong.push(`is wrong in ${at(odd, odd.length - 1).join(', ')}`);
  if (row['_synced_at'] === null) wrong.push('was never synced');
  return wrong;
}

/** The parts that only a full read has to get right: undeclared fields, and the pass of a row. */
function wrongAfterFullRead(
  row: Row,
  record: ApiRecord,
  table: Table,
  modes: ReadonlyMap<unknown, unknown>,
): string[] {
  const wrong: string[] = [];
  const lost = undeclaredOf(record, table).filter(
    ([column, value]) => normalOr(row[column]) !== normalOr(value),
  );
  if (lost.length > 0) wrong.push(`lost ${lost.map(([column]) => column).join(', ')}`);
  const mode = row['incident_mode'];
  if (table.passes && mode !== 'stream' && mode !== (modes.get(record['incident_id']) ?? 'standard')) {
    wrong.push('has the wrong mode');
  }
  return wrong;
}

/** The fields of a record that are not declared, by the column that holds them, as text or JSON text. */
function undeclaredOf(record: ApiRecord, { columns, passes }: Table): [string, string][] {
  return Object.entries(record).flatMap(([field, value]): [string, string][] => {
    if (value === null || value === undefined) return [];
    const column = columns[field];
    const isOwn = column !== undefined && !column.from && field !== passes?.column;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (!isOwn) return [[field, text]];
    return column.type === 'text' && typeof value !== 'string' ? [[`${field}__raw`, text]] : [];
  });
}

/** JSON text with sorted keys, other text as it is. */
function normalOr(text: unknown): unknown {
  return typeof text === 'string' && /^[[{]/.test(text) ? normal(text) : text;
}
