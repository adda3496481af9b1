import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { nestedTables } from '../../../src/tables/nested/index.ts';
import { tableWorkflowId } from '../../../src/temporal/names.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { planted, withPlantedSecrets } from '../../helpers/planted.ts';
import { sync } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

it('values that look like secrets are in no table and no report, but the report names their fields', async () => {
  const { sandbox, destination, run } = await worldOf(temporal);
  sandbox.transform = (record, table) =>
    table === 'alerts'
      ? { ...record, signing_key: planted, attributes: [{ value: { token: planted, literal: 'kept' } }] }
      : record;
  const result = resultOf(await run());
  expect(result.notes).toContainEqual(expect.stringContaining('attributes[].value.token, signing_key'));
  const { rows, schema } = await readWithDeltaRs(join(destination, 'alerts'));
  expect(rows[0]).toMatchObject({ attributes: '[{"value":{"literal":"kept"}}]' });
  expect(schema.map(({ name }) => name)).not.toContain('signing_key');
  const log = join(destination, 'alerts', '_delta_log');
  const entries = await Promise.all((await readdir(log)).map((name) => readFile(join(log, name), 'utf8')));
  expect(JSON.stringify([result, rows, entries])).not.toContain(planted);
});

it('secrets of every kind are in no table, no log, no staging and no history', async () => {
  const names = ['alert_sources', 'secrets', 'escalations'];
  const { sandbox, destination } = await worldOf(temporal, { sizes: { escalations: 3 } });
  sandbox.transform = (record, table) =>
    names.includes(table) ? withPlantedSecrets(tableNamed(table), record) : record;
  const outcomes = await sync(temporal, sandbox, destination, { tables: names, landing: {} });
  const results = outcomes.map(resultOf);
  for (const { notes } of results) expect(notes).toContainEqual(expect.stringContaining('signing_key'));
  const folders = (await readdir(destination)).filter((name) => name !== '_staging').sort();
  expect(folders).toEqual(expect.arrayContaining([...names, 'escalation_events', 'alert_source_attributes']));
  const keyOf = (name: string) =>
    [...nestedTables, ...names.map(tableNamed)].find((table) => table.name === name)!.primaryKey;
  const tables = await Promise.all(
    folders.map((name) => readWithDeltaRs(join(destination, name), { key: keyOf(name) })),
  );
  expect(tables.flatMap(({ rows }) => rows).length).toBeGreaterThan(0);
  const histories = await Promise.all(
    names.map((name) =>
      temporal.client.workflow.getHandle(tableWorkflowId(destination, name)).fetchHistory(),
    ),
  );
  const files = await filesBelow(destination);
  const texts = [JSON.stringify([results, tables, histories.map(historyToJSON)]), ...files];
  expect(texts.filter((text) => text.includes(planted))).toEqual([]);
  // What a history holds is encoded.
  const encoded = Buffer.from(planted).toString('base64').slice(0, 12);
  expect(texts.filter((text) => text.includes(encoded))).toEqual([]);
});

/** The text of every file below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')));
}

it('a record that fails the table shows none of its values', async () => {
  const { sandbox, run } = await worldOf(temporal);
  sandbox.transform = (record, table) =>
    table === 'alerts' ? { ...record, id: { token: planted }, title: planted } : record;
  const outcome = await run();
  expect(outcome).toMatchObject({ status: 'failed', error: 'RecordShapeError' });
  expect(JSON.stringify(outcome)).not.toContain(planted);
});
