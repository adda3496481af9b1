import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type ApiRecord,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '../../../src/sandbox/sandbox.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';
import type { Table } from '../../../src/tables/table.ts';
import { runTable, type RunTableOptions, wrongRows } from '../../helpers/run-table.ts';
import { createSeen, touchParent } from '../../helpers/touch-parent.ts';
import { openPlace, type Place, readRows } from '../../helpers/warehouse.ts';

const dayMs = 86_400_000;
const sizes = {
  incidents: 60,
  alerts: 40,
  users: 20,
  schedules: 5,
  incident_updates: 10,
  follow_ups: 5,
  escalations: 5,
};
const incidents = tableNamed('incidents');
const sessions = tableNamed('call_sessions');

let sandbox: Sandbox;
let place: Place;
let now: number;
async function start(options: SandboxOptions = {}): Promise<void> {
  now = Date.parse('2026-11-20T12:00:00Z');
  sandbox = await startSandbox({ sizes, limits: 'off', now: () => now, ...options });
  const started = sandbox;
  onTestFinished(() => started.stop());
  place = await openPlace();
}
const run = (table: Table, options: RunTableOptions = {}) => runTable(place, sandbox, table, options);
const wrong = (table: Table) => wrongRows(place, sandbox, table);
const sessionsOf = (incident: unknown) =>
  [...sandbox.records('call_sessions')].filter((session) => session['incident_id'] === incident);
/** Incidents that are over, so that a run reads them only for a reason of their own. */
const closedIncidents = (): ApiRecord[] =>
  [...sandbox.records('incidents')].filter((incident) => {
    const { category } = incident['incident_status'] as { readonly category: string };
    return !['triage', 'live', 'learning', 'paused'].includes(category);
  });
/** Parents with children, among those that are over. */
const closedWithSessions = () => closedIncidents().filter(({ id }) => sessionsOf(id).length > 0);
const countOf = ({ name }: Table) => [...sandbox.records(name)].length;
const requestsFor = (table: Table) =>
  sandbox.requests.filter((request) => request.table === table.name).length;

const children = tables.filter(({ parent }) => parent);
/** Parents come before their children. */
const ancestorsOf = (table: Table): Table[] => {
  if (!table.parent) return [];
  const parent = tableNamed(table.parent.table);
  return [...ancestorsOf(parent), parent];
};

it('each table equals the account, row for row, and again after rows were added and deleted', async () => {
  await start({ sizes: { ...sizes, incidents: 25, alerts: 15, users: 10 } });
  const roots = [...new Set(children.flatMap(ancestorsOf))].filter(({ parent }) => !parent);
  // Those that are parents themselves come first.
  const ordered = children.toSorted((a, b) => ancestorsOf(a).length - ancestorsOf(b).length);
  const all = [...roots, ...ordered];
  for (const table of all) {
    const { outcome, plan } = await run(table);
    const { status } = outcome;
    const found = { name: table.name, status, fullRead: plan.fullRead, wrong: await wrong(table) };
    expect(found).toEqual({ name: table.name, status: 'committed', fullRead: true, wrong: [] });
    expect(countOf(table)).toBeGreaterThan(0);
  }
  now += 60_000;
  for (const { name, timeWindow } of ordered) {
    touchParent(sandbox, name, createSeen(sandbox, name));
    // Rows outside the window of time stay.
    if (timeWindow || ordered.some(({ parent }) => parent?.table === name)) continue;
    const [record] = sandbox.records(name);
    touchParent(sandbox, name, record!);
    sandbox.remove(name, sandbox.idOf(name, record!));
  }
  now += 60_000;
  for (const table of all) {
    await run(table);
    expect({ name: table.name, wrong: await wrong(table) }).toEqual({ name: table.name, wrong: [] });
  }
});

it('a child whose parent was never synced says so, and sends no request', async () => {
  await start();
  await expect(run(sessions)).rejects.toMatchObject({ name: 'ParentMissingError' });
  expect(requestsFor(sessions)).toBe(0);
});

describe('the next run', () => {
  beforeEach(async () => {
    await start();
    await run(incidents);
    await run(sessions);
    now += 60_000;
  });

  it('reads the parents that are open, and those that changed', async () => {
    const [parent] = closedWithSessions();
    const open = sizes.incidents - closedIncidents().length;
    const quiet = await run(sessions);
    expect(quiet.plan).toMatchObject({ fullRead: false, parents: { count: open } });
    sandbox.change('incidents', String(parent!['id']), { name: 'changed' });
    sandbox.create('call_sessions', { incident_id: parent!['id'] });
    for (const { id } of sessionsOf(parent!['id']).slice(0, 1)) sandbox.remove('call_sessions', String(id));
    await run(incidents);
    now += 60_000;
    const { plan } = await run(sessions);
    expect(plan.parents?.count).toBe(open + 1);
    expect(await wrong(sessions)).toEqual([]);
  });

  it('does not read a parent whose children changed without it, until its turn comes', async () => {
    const [parent] = closedWithSessions();
    sandbox.create('call_sessions', { incident_id: parent!['id'] });
    await run(sessions);
    expect(await wrong(sessions)).toHaveLength(1);
    const everyMs = 7 * dayMs;
    let read = 0;
    for (let day = 0; day < 7; day += 1) {
      now += dayMs;
      const { plan } = await run(sessions, { fullReadEveryMs: everyMs });
      expect(plan.fullRead).toBe(false);
      read += plan.parents!.count;
    }
    expect(await wrong(sessions)).toEqual([]);
    // Each closed one once in the seven days, each open one in every run.
    const over = closedIncidents().length;
    expect(read).toBe(over + 7 * (sizes.incidents - over));
  });

  it('reads all parents after a whole period without a run', async () => {
    now += 8 * dayMs;
    const { plan } = await run(sessions);
    expect(plan).toMatchObject({ fullRead: true, parents: { count: sizes.incidents } });
  });

  it('reads all parents if their table was created again', async () => {
    await place.store.deleteAll('incidents/');
    await run(incidents);
    const { plan } = await run(sessions);
    expect(plan).toMatchObject({ fullRead: true, parents: { count: sizes.incidents } });
  });

  it('drops the rows whose parent is gone, without a request for it', async () => {
    const [parent] = closedWithSessions();
    const id = String(parent!['id']);
    const before = (await readRows(place, sessions)).filter((row) => row['incident_id'] === id);
    expect(before.length).toBeGreaterThan(0);
    sandbox.remove('incidents', id);
    await run(incidents, { syncMethod: 'full_refresh' });
    const { outcome } = await run(sessions);
    expect(outcome).toMatchObject({ dropped: before.length });
    expect(sandbox.requests.slice(-50).some(({ url, status }) => url.includes(id) && status === 404)).toBe(
      false,
    );
    expect(await wrong(sessions)).toEqual([]);
  });

  it('treats a parent that is gone by the time it is requested as one without children', async () => {
    const [parent] = closedWithSessions();
    const id = String(parent!['id']);
    sandbox.change('incidents', id, { name: 'changed' });
    await run(incidents);
    sandbox.remove('incidents', id);
    const { reading } = await run(sessions);
    expect(reading.parents).toMatchObject({ gone: 1, left: [] });
    expect(await wrong(sessions)).toEqual([]);
  });

  it('leaves the rows of a parent that keeps failing unchanged, and the next run reads it again', async () => {
    const [parent] = closedWithSessions();
    const id = String(parent!['id']);
    const before = (await readRows(place, sessions)).filter((row) => row['incident_id'] === id);
    sandbox.change('incidents', id, { name: 'changed' });
    sandbox.create('call_sessions', { incident_id: id });
    await run(incidents);
    const mend = sandbox.fault({
      fault: { kind: 'error', status: 500 },
      table: 'call_sessions',
      when: ({ params }) => params.get('incident_id') === id,
    });
    now += 60_000;
    const failed = await run(sessions);
    expect(failed.outcome.status).toBe('committed');
    expect(failed.reading.parents?.left).toEqual([id]);
    expect(failed.reading.notes.join()).toContain(id);
    expect((await readRows(place, sessions)).filter((row) => row['incident_id'] === id)).toEqual(before);
    mend();
    now += 60_000;
    await run(sessions);
    expect(await wrong(sessions)).toEqual([]);
  });

  it('does not mistake an outage for failing parents', async () => {
    sandbox.fault({ fault: { kind: 'error', status: 500 }, table: 'call_sessions' });
    now += 8 * dayMs;
    await expect(run(sessions)).rejects.toMatchObject({ name: 'ApiUnavailableError' });
  });

  it('does not mistake a missing endpoint for missing parents', async () => {
    sandbox.fault({ fault: { kind: 'error', status: 404 }, table: 'call_sessions' });
    now += 8 * dayMs;
    await expect(run(sessions)).rejects.toMatchObject({ name: 'TableUnavailableError' });
    expect((await readRows(place, sessions)).length).toBe([...sandbox.records('call_sessions')].length);
  });

  it('does not trust lists that are suddenly empty', async () => {
    const rows = (await readRows(place, sessions)).length;
    sandbox.fault({ fault: { kind: 'short', rows: 0, after: 'none' }, table: 'call_sessions' });
    const some = closedWithSessions().slice(0, Math.ceil(rows / 4));
    for (const { id } of some) sandbox.change('incidents', String(id), { name: 'changed' });
    await run(incidents);
    const { outcome } = await run(sessions, { look: { reading: 1 } });
    expect(outcome.status).toBe('doubtful');
    expect((await readRows(place, sessions)).length).toBe(rows);
  });
});

it('a parent’s list continues in the next batch where it stopped, and its rows come from a single reading', async () => {
  await start();
  const types = tableNamed('catalog_types');
  const entries = tableNamed('catalog_entries');
  await run(types);
  const [type] = sandbox.records('catalog_types');
  for (let n = 0; n < 700; n += 1) sandbox.create('catalog_entries', { catalog_type_id: type!['id'] });
  const cursors: string[] = [];
  const { reading } = await run(entries, {
    limits: { batchRows: 300 },
    onBatch: async (input, read) => {
      if (input.after !== undefined) cursors.push(input.after);
      // The first attempt's result is lost, as when its worker dies.
      await read();
      return read();
    },
  });
  const inside = cursors.filter((cursor) => (JSON.parse(cursor) as string[]).length === 2);
  expect(inside.length).toBeGreaterThan(0);
  expect(reading.figures.batches).toBeGreaterThan(2);
  expect(await wrong(entries)).toEqual([]);
});

it('rows outside the window of time stay as history, those inside are replaced', async () => {
  await start();
  const schedules = tableNamed('schedules');
  const entries = tableNamed('schedule_entries');
  await run(schedules);
  const [schedule] = sandbox.records('schedules');
  const at = (days: number) => new Date(now + days * dayMs).toISOString();
  const entry = (name: string, from: number, to: number) =>
    sandbox.create('schedule_entries', {
      schedule_id: schedule!['id'],
      fingerprint: name,
      list: 'final',
      start_at: at(from),
      end_at: at(to),
    });
  const made = [entry('old', -30, -20), entry('running', -8, 1), entry('next', 10, 11)];
  expect((await run(entries)).plan.fullRead).toBe(true);
  expect(await wrong(entries)).toEqual([]);
  for (const record of made) sandbox.remove('schedule_entries', sandbox.idOf('schedule_entries', record));
  now += 60_000;
  expect((await run(entries)).plan.fullRead).toBe(false);
  const left = (await readRows(place, entries)).map((row) => row['fingerprint']);
  expect(left).toContain('old');
  expect(left).not.toContain('running');
  expect(left).not.toContain('next');
});
