import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const planted = 'PLANTED-VALUE';

it('what looks like a secret is in no table and in no report, which names the fields', async () => {
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

it('a record that fails the table shows none of its values', async () => {
  const { sandbox, run } = await worldOf(temporal);
  sandbox.transform = (record, table) =>
    table === 'alerts' ? { ...record, id: { token: planted }, title: planted } : record;
  const outcome = await run();
  expect(outcome).toMatchObject({ status: 'failed', error: 'RecordShapeError' });
  expect(JSON.stringify(outcome)).not.toContain(planted);
});
