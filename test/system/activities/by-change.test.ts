import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { runTable, type RunTableOptions, wrongRows } from '../../helpers/run-table.ts';
import { openPlace, type Place } from '../../helpers/warehouse.ts';

const incidents = tableNamed('incidents');
const updates = tableNamed('incident_updates');
const dayMs = 86_400_000;

let sandbox: Sandbox;
let place: Place;
let now: number;
const run = (options: RunTableOptions = {}) => runTable(place, sandbox, updates, options);
const later = async (ms = 60_000) => {
  now += ms;
  await runTable(place, sandbox, incidents);
};
/** Posts an update; the API changes its incident too, unless a test needs it not to. */
const post = (incident: string, movesIncident = true) => {
  sandbox.create('incident_updates', { incident_id: incident });
  if (movesIncident) sandbox.change('incidents', incident, {});
};

beforeEach(async () => {
  now = Date.parse('2026-11-20T12:00:00Z');
  sandbox = await startSandbox({
    sizes: { incidents: 60, incident_updates: 2_000, follow_ups: 1, users: 10 },
    limits: 'off',
    now: () => now,
  });
  const started = sandbox;
  onTestFinished(() => started.stop());
  place = await openPlace();
  await later();
  await run();
});

it('reads the updates of incidents that changed, and not the list', async () => {
  post(sandbox.idAt('incidents', 3));
  const [update] = [...sandbox.records('incident_updates')].filter(
    ({ incident_id: of }) => of === sandbox.idAt('incidents', 7),
  );
  sandbox.remove('incident_updates', String(update!['id']));
  sandbox.change('incidents', sandbox.idAt('incidents', 7), {});
  await later();
  const { plan, reading } = await run();
  expect(plan).toMatchObject({ fullRead: false, parents: { count: 2 } });
  expect(reading.figures.requests).toBe(2);
  expect(await wrongRows(place, sandbox, updates)).toEqual([]);
});

it('asks for nothing if no incident changed', async () => {
  await later();
  const { reading } = await run();
  expect(reading.figures.requests).toBe(0);
});

it('reads the list if that is fewer requests', async () => {
  for (let n = 0; n < 20; n += 1) post(sandbox.idAt('incidents', n));
  await later();
  const { plan } = await run();
  expect(plan.fullRead).toBe(true);
  expect(await wrongRows(place, sandbox, updates)).toEqual([]);
});

it('keeps updates of an incident that the other table does not have yet', async () => {
  const made = sandbox.create('incidents', {});
  post(String(made['id']), false);
  await run({ syncMethod: 'full_refresh' });
  now += 60_000;
  await run();
  await run();
  expect(await wrongRows(place, sandbox, updates)).toEqual([]);
});

it('a full read counts the rows that reading by changes had missed, and then the list is read for a week', async () => {
  post(sandbox.idAt('incidents', 3), false);
  await later();
  await later();
  const { plan } = await run();
  expect(plan.fullRead).toBe(false);
  expect(await wrongRows(place, sandbox, updates)).toHaveLength(1);
  post(sandbox.idAt('incidents', 5));
  await later(dayMs);
  const full = await run();
  expect(full.plan.fullRead).toBe(true);
  expect(full.outcome).toMatchObject({ status: 'committed', missed: 1 });
  expect(await wrongRows(place, sandbox, updates)).toEqual([]);
  await later();
  expect((await run()).plan.fullRead).toBe(true);
  for (let day = 0; day < 7; day += 1) {
    await later(dayMs);
    expect((await run()).outcome).not.toHaveProperty('missed');
  }
  await later();
  expect((await run()).plan.fullRead).toBe(false);
});

it('an update that was just posted does not count as missed', async () => {
  await later(dayMs);
  now += 60_000;
  post(sandbox.idAt('incidents', 3));
  expect((await run()).outcome).not.toHaveProperty('missed');
});
