import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { quietRuntime } from '../../../src/serving/runtime.ts';
import { nestedIn } from '../../../src/tables/nested/index.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { unique } from '../../helpers/temporal.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const method = { syncMethod: 'incremental', incrementalField: 'updated_at' } as const;

it('nested tables come with their table, follow its changes, and are left out if the settings say so', async () => {
  const { sandbox, destination, run } = await worldOf(temporal, { sizes: { incidents: 30, users: 5 } });
  await run({ table: 'incidents', method, landing: { nested: false } });
  expect((await readdir(destination)).filter((name) => name !== '_staging')).toEqual(['incidents']);
  // The first run with nested tables reads only changes, but makes them from all rows.
  const first = resultOf(await run({ table: 'incidents', method, landing: {} }));
  expect(first).toMatchObject({
    fullRead: false,
    nested: { tables: nestedIn('incidents').map(({ name }) => name) },
  });
  const assigned = async () => {
    const { rows } = await readWithDeltaRs(join(destination, 'incident_role_assignments'), {
      key: ['incident_id', 'position'],
    });
    return rows.map(({ incident_id: incident, position, assignee_user_id: user }) => ({
      incident,
      position,
      user,
    }));
  };
  const expected = () =>
    [...sandbox.records('incidents')].flatMap(({ id, incident_role_assignments: assignments }) =>
      (assignments as { assignee?: { id: string } }[]).map(({ assignee }, index) => ({
        incident: id,
        position: String(index + 1),
        user: assignee?.id ?? null,
      })),
    );
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
  expect(sorted(await assigned())).toEqual(sorted(expected()));
  expect((await assigned()).length).toBeGreaterThan(0);
  for (const { name, primaryKey } of nestedIn('incidents')) {
    const { rows } = await readWithDeltaRs(join(destination, name), { key: primaryKey });
    const keys = rows.map((row) => JSON.stringify(primaryKey.map((column) => row[column])));
    expect({ name, keys: new Set(keys).size }).toEqual({ name, keys: keys.length });
  }
});

it('personal data is hashed, left out or kept as the settings say, and each change reads everything', async () => {
  const variable = unique('HASH_KEY').replaceAll('-', '_');
  process.env[variable] = 'a key of more than thirty-two characters';
  onTestFinished(() => void Reflect.deleteProperty(process.env, variable));
  const planted = 'PLANTED-PERSON';
  const { sandbox, destination, run } = await worldOf(temporal, { sizes: { alerts: 3, users: 2 } });
  sandbox.transform = (record, table) =>
    table === 'alerts'
      ? { ...record, title: planted, description: planted, attributes: [{ label: planted }] }
      : record;
  const rowsIn = async (table: string) => (await readWithDeltaRs(join(destination, table))).rows;
  const hash = { personal: 'hash', hashKey: { env: variable } } as const;
  const results = [];
  for (const landing of [
    hash,
    hash,
    { personal: 'leave_out', columns: { exclude: ['source_url'] } },
    {},
  ] as const) {
    const result = resultOf(await run({ method, landing }));
    const [row] = await rowsIn('alerts');
    results.push({
      fullRead: result.fullRead,
      text: JSON.stringify([row, await rowsIn('alert_attribute_values')]),
      row,
    });
  }
  expect(results.map(({ fullRead }) => fullRead)).toEqual([true, false, true, true]);
  const [hashed, , leftOut, kept] = results as [
    (typeof results)[0],
    (typeof results)[0],
    (typeof results)[0],
    (typeof results)[0],
  ];
  expect(hashed.row).toMatchObject({
    title: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    attributes: null,
  });
  expect(leftOut.row).toMatchObject({ title: null, attributes: null, source_url: null });
  for (const { text } of [hashed, leftOut]) expect(text).not.toContain(planted);
  expect(kept.row).toMatchObject({ title: planted });
});
