import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { users } from '../../../src/tables/users.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { isIdentity, refuses, resultOf, type World, worldOf } from '../../helpers/one-table.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';
import { committed, openPlace, state } from '../../helpers/warehouse.ts';

quietRuntime();
const temporal = await connectToTestServer();

describe('the watermark', () => {
  it('stays where it was while the API sends no Date, and the run says so', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    const { watermark } = resultOf(await run({ table: 'incidents' }));
    expect(watermark).toBeGreaterThan(0);
    sandbox.change('incidents', sandbox.idAt('incidents', 3), { name: 'changed' });
    const mend = sandbox.fault({ fault: { kind: 'without', headers: 'date' } });
    const second = resultOf(await run({ table: 'incidents' }));
    expect(second).toMatchObject({ fullRead: false, watermark });
    expect(second.notes).toEqual([expect.stringContaining('no Date')]);
    await expectTruth(sandbox, destination, ['incidents']);
    mend();
    expect(resultOf(await run({ table: 'incidents' })).watermark).toBeGreaterThan(watermark!);
  });

  it('is missing after a first sync without a Date, so the next one reads everything', async () => {
    const { sandbox, run } = await worldOf(temporal);
    const mend = sandbox.fault({ fault: { kind: 'without', headers: 'date' } });
    expect(resultOf(await run({ table: 'incidents' }))).not.toHaveProperty('watermark');
    mend();
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(true);
  });
});

describe('an identity that cannot be read', () => {
  const notes = [expect.stringContaining('identity')];

  it('leaves the stored one in an incremental run', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    resultOf(await run({ table: 'incidents' }));
    const mend = sandbox.fault({ fault: refuses(403), when: isIdentity });
    const second = resultOf(await run({ table: 'incidents' }));
    expect(second).toMatchObject({ fullRead: false, notes });
    const { configuration } = await readWithDeltaRs(join(destination, 'incidents'));
    expect(configuration['incident_io.account']).toBe('https://app.incident.io/sandbox');
    mend();
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(false);
  });

  it('is stored as unknown by a full read, and the next run that can read one reads everything', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    const mend = sandbox.fault({ fault: refuses(404), when: isIdentity });
    expect(resultOf(await run({ table: 'incidents' })).notes).toEqual(notes);
    const { configuration } = await readWithDeltaRs(join(destination, 'incidents'));
    expect(configuration['incident_io.account']).toBe('unknown');
    // Two unknown identities are not compared, so this run asks for changes.
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(false);
    mend();
    expect(resultOf(await run({ table: 'incidents' }))).toMatchObject({
      fullRead: true,
      reason: expect.stringContaining('key may see') as string,
    });
  });
});

describe('a status category the vendor adds', () => {
  async function withNewCategory(): Promise<World> {
    const world = await worldOf(temporal);
    const { sandbox } = world;
    const status = sandbox.create('incident_statuses', { category: 'postponed', name: 'Postponed' });
    sandbox.change('incidents', sandbox.idAt('incidents', 7), { incident_status: status });
    return world;
  }

  it('is asked for, and its incidents land', async () => {
    const { sandbox, destination, run } = await withNewCategory();
    resultOf(await run({ table: 'incidents' }));
    await expectTruth(sandbox, destination, ['incidents']);
    const { rows } = await readWithDeltaRs(join(destination, 'incidents'));
    const id = sandbox.idAt('incidents', 7);
    expect(rows.find((row) => row['id'] === id)).toMatchObject({ incident_status_category: 'postponed' });
  });

  it('is still asked for if the list of statuses cannot be read, without a full read', async () => {
    const { sandbox, destination, run } = await withNewCategory();
    resultOf(await run({ table: 'incidents' }));
    sandbox.fault({ fault: refuses(403), table: 'incident_statuses' });
    sandbox.change('incidents', sandbox.idAt('incidents', 7), { name: 'changed' });
    const { fullRead, notes } = resultOf(await run({ table: 'incidents' }));
    expect(fullRead).toBe(false);
    expect(notes).toEqual([expect.stringContaining('status_category[one_of]')]);
    await expectTruth(sandbox, destination, ['incidents']);
  });
});

it('drops a deleted incident in the next run, for a few requests and without a full read', async () => {
  const { sandbox, destination, run } = await worldOf(temporal, {});
  const runIncidents = async () => resultOf(await run({ table: 'incidents' }));
  await runIncidents();
  sandbox.remove('incidents', sandbox.idAt('incidents', 5));
  const next = await runIncidents();
  expect(next).toMatchObject({ fullRead: false, changes: { dropped: 1 } });
  expect(next.notes.length).toBeGreaterThan(0);
  expect(next.read.requests).toBeLessThan(60);
  await expectTruth(sandbox, destination, ['incidents']);
  expect((await runIncidents()).notes).toEqual([]);
});

it('reads everything after two runs whose counts differ, if the days that differ cannot be found', async () => {
  const { sandbox, destination, run } = await worldOf(temporal, {});
  const runIncidents = async () => resultOf(await run({ table: 'incidents' }));
  await runIncidents();
  sandbox.fault({
    when: ({ params }) => params.has('created_at[date_range]'),
    fault: { kind: 'error', status: 422 },
  });
  sandbox.remove('incidents', sandbox.idAt('incidents', 5));
  for (const _ of [1, 2]) {
    const differing = await runIncidents();
    // The difference is never passed over in silence.
    expect([differing.fullRead, differing.notes.length]).toEqual([false, 1]);
  }
  expect(await runIncidents()).toMatchObject({
    fullRead: true,
    reason: expect.stringContaining('count differs') as string,
    changes: { dropped: 1 },
  });
  await expectTruth(sandbox, destination, ['incidents']);
  expect((await runIncidents()).fullRead).toBe(false);
});

it('compacts a table after the commit of a run', async () => {
  const sizes = { incidents: 0, incident_updates: 0, follow_ups: 0, alerts: 0, escalations: 0, users: 9 };
  const { sandbox, destination, run } = await worldOf(temporal, { sizes });
  const place = await openPlace(destination);
  for (let user = 0; user < 7; user += 1) {
    const row = { id: sandbox.idAt('users', user) };
    await committed(place, users, [[row]], { state: { ...state, account: 'unknown' } });
  }
  const { notes, version } = resultOf(await run({ table: 'users' }));
  expect([notes, version]).toEqual([[], 7]);
  // With the eighth small file all of them are compacted into one.
  expect(await readWithDeltaRs(join(destination, 'users'))).toMatchObject({ files: 1, version: 8 });
  await expectTruth(sandbox, destination, ['users']);
});
