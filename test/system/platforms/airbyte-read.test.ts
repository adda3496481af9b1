import { describe, expect, it } from 'vitest';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  airbyteRead,
  type Called,
  catalogOf,
  errorsIn,
  held,
  idsOf,
  platformWorld,
} from '../../helpers/platform.ts';

const states = ({ messages }: Called) => messages.filter(({ type }) => type === 'STATE');
const blobIn = (state: unknown) =>
  (state as { stream: { stream_state: { [field: string]: unknown } } }).stream.stream_state;

/** The state of a stream with another blob. */
const withBlob = (state: readonly object[], change: (blob: object) => object) =>
  state.map((message) => {
    const { stream } = message as { stream: { stream_state: object } };
    return { ...message, stream: { ...stream, stream_state: change(stream.stream_state) } };
  });

describe('a read with a place for the tables', () => {
  // Fails if a change, a deletion or a new row does not reach the platform exactly once.
  it('gives each changed row once, and each deleted row as a mark', async () => {
    const world = await platformWorld(true);
    const { sandbox } = world;
    const catalog = catalogOf(['incidents', 'severities']);
    const first = await airbyteRead(world, catalog);
    expect(errorsIn(first)).toEqual([]);
    expect(first.code).toBe(0);
    expect(first.records('incidents')).toHaveLength(60);

    const ids = idsOf(sandbox, 'incidents');
    sandbox.change('incidents', ids[3]!, { name: 'changed' });
    sandbox.remove('incidents', ids[5]!);
    sandbox.create('incidents', {});
    const second = await airbyteRead(world, catalog, first.state);
    const rows = second.records('incidents');
    expect(rows.filter((row) => row['id'] === ids[3])).toMatchObject([
      { name: 'changed', _ab_cdc_deleted_at: null },
    ]);
    const [gone] = rows.filter((row) => row['id'] === ids[5]);
    expect(gone).toMatchObject({ _synced_at: gone!['_ab_cdc_deleted_at'], name: null });
    expect(rows).toHaveLength(3);
    expect(second.records('severities')).toEqual([]);
    expect(states(second).length).toBeGreaterThanOrEqual(2);
    const all = held(rows, held(first.records('incidents')));
    expect([...all.keys()].sort()).toEqual(idsOf(sandbox, 'incidents').sort());

    const third = await airbyteRead(world, catalog, second.state);
    expect(third.records('incidents')).toEqual([]);
    expect(states(third)).toHaveLength(2);
  });

  // Fails if a read that was killed loses or repeats rows.
  it('continues in the middle of a read', async () => {
    const world = await platformWorld(true);
    const catalog = catalogOf(['incidents']);
    const whole = await airbyteRead(world, catalog);
    const { version } = blobIn(whole.state[0]) as { version: string };
    const halfway = withBlob(whole.state, ({ version: _version, ...blob }: { version?: string }) => ({
      ...blob,
      to: version,
      after: '0:19',
    }));
    const rest = await airbyteRead(world, catalog, halfway);
    expect(rest.records('incidents')).toEqual(whole.records('incidents').slice(20));
    expect(blobIn(rest.state[0])).toEqual(blobIn(whole.state[0]));
  });

  // Fails if a state that cannot be compared passes for one that can.
  it.each([
    ['of another account', { account: 'https://app.incident.io/other' }],
    ['of another table', { table: '00000000-0000-0000-0000-000000000000' }],
    ['of a version that never was', { version: '7' }],
    ['of another format', { v: 2 }],
    ['with nonsense', { version: 7 }],
  ])('refuses a state %s', async (_what, wrong) => {
    const world = await platformWorld(true);
    const catalog = catalogOf(['severities', 'incident_roles']);
    const first = await airbyteRead(world, catalog);
    const [severities, roles] = [
      first.state.filter((state) => JSON.stringify(state).includes('severities')),
      first.state.filter((state) => JSON.stringify(state).includes('incident_roles')),
    ];
    const second = await airbyteRead(world, catalog, [
      ...withBlob(severities, (blob) => ({ ...blob, ...wrong })),
      ...roles,
    ]);
    expect(second.code).toBe(1);
    const [error, last] = errorsIn(second);
    expect(error).toMatchObject({ stream: 'severities', type: 'config_error' });
    expect(error!.message).toContain('Refresh this stream');
    expect(last).toMatchObject({ stream: undefined });
    expect(second.records('severities')).toEqual([]);
    expect(JSON.stringify(second.state)).not.toContain('severities');
    expect(second.text.indexOf('"incident_roles"}},"status":"COMPLETE"')).toBeLessThan(
      second.text.indexOf('could not be read'),
    );
  });

  // Fails if tables that were deleted and made again pass for the ones that the platform has loaded.
  it('refuses the state of a table that is gone', async () => {
    const world = await platformWorld(true);
    const catalog = catalogOf(['severities']);
    const first = await airbyteRead(world, catalog);
    await rm(join(world.folder, 'warehouse'), { recursive: true });
    const second = await airbyteRead(world, catalog, first.state);
    expect(errorsIn(second)[0]).toMatchObject({ stream: 'severities', type: 'config_error' });
    // A refresh comes with an empty state.
    const third = await airbyteRead(
      world,
      catalog,
      withBlob(first.state, () => ({})),
    );
    expect(third.records('severities')).toHaveLength(first.records('severities').length);
  });

  it('gives all rows of a full refresh, regardless of the state', async () => {
    const world = await platformWorld(true);
    const first = await airbyteRead(world, catalogOf(['severities']));
    const second = await airbyteRead(world, catalogOf(['severities'], 'full_refresh'), first.state);
    expect(second.records('severities')).toEqual(first.records('severities'));
  });
});

describe('a read without a place', () => {
  // Fails if the state does not lead to the changes, or if rows come twice.
  it('gives what changed since the time in the state', async () => {
    const world = await platformWorld(false);
    const { sandbox } = world;
    const catalog = catalogOf(['incidents', 'severities']);
    const first = await airbyteRead(world, catalog);
    expect(first.code).toBe(0);
    expect(first.text).toContain('"level":"WARN"');
    expect(first.records('incidents')).toHaveLength(60);
    const id = idsOf(sandbox, 'incidents')[7]!;
    sandbox.change('incidents', id, { name: 'changed' });
    const second = await airbyteRead(world, catalog, first.state);
    const rows = second.records('incidents');
    expect(rows.length).toBeLessThan(20);
    expect(rows.filter((row) => row['id'] === id)).toMatchObject([{ name: 'changed' }]);
    expect(second.records('severities')).toHaveLength(first.records('severities').length);
  });

  it('refuses a state that was made with a place', async () => {
    const world = await platformWorld(true);
    const catalog = catalogOf(['severities']);
    const first = await airbyteRead(world, catalog);
    const { warehouse: _warehouse, ...config } = world.config;
    const second = await airbyteRead(world, catalog, first.state, config);
    expect(errorsIn(second)[0]).toMatchObject({ stream: 'severities', type: 'config_error' });
  });
});

describe('a table that is read by the rows of another one', () => {
  // Fails if it is read before its parent, or only if the parent is selected too.
  it('follows its parent, which need not be selected', async () => {
    const world = await platformWorld(true);
    const catalog = catalogOf(['custom_field_options']);
    const first = await airbyteRead(world, catalog);
    expect(errorsIn(first)).toEqual([]);
    const ids = first.records('custom_field_options').map(({ id }) => String(id));
    expect(ids.sort()).toEqual(idsOf(world.sandbox, 'custom_field_options').sort());
    const second = await airbyteRead(world, catalog, first.state);
    expect(second.records('custom_field_options')).toEqual([]);
  });

  it('is refused without a place for the tables', async () => {
    const world = await platformWorld(false);
    const called = await airbyteRead(world, catalogOf(['custom_field_options', 'severities']));
    expect(errorsIn(called)[0]).toMatchObject({ stream: 'custom_field_options', type: 'config_error' });
    expect(called.records('severities').length).toBeGreaterThan(0);
  });
});

describe('personal data', () => {
  const emails = (called: Called) => called.records('users').map((row) => row['email']);

  // Fails if values that the config leaves out reach the platform, or stay in the tables of an earlier read.
  it.each([true, false])('is left out or hashed as the config says (kept tables: %s)', async (kept) => {
    const world = await platformWorld(kept);
    const catalog = catalogOf(['users']);
    const first = await airbyteRead(world, catalog);
    expect(emails(first).filter((email) => typeof email === 'string')).toHaveLength(5);
    const leaving = { ...world.config, personal: 'leave_out' };
    const second = await airbyteRead(world, catalog, first.state, leaving);
    expect(emails(second)).toEqual([null, null, null, null, null]);
    const hashing = { ...world.config, personal: 'hash', hash_key: 'a'.repeat(32) };
    const third = await airbyteRead(world, catalog, second.state, hashing);
    expect(new Set(emails(third)).size).toBe(5);
    expect(JSON.stringify(third.records('users'))).not.toContain('@');
  });

  // Fails if a read without a place for the tables reads everything each time, because it forgot the rules.
  it('does not make the next read a full one', async () => {
    const world = await platformWorld(false);
    const config = { ...world.config, personal: 'leave_out' };
    const catalog = catalogOf(['follow_ups']);
    const first = await airbyteRead(world, catalog, [], config);
    expect(first.records('follow_ups')).toHaveLength(30);
    const second = await airbyteRead(world, catalog, first.state, config);
    expect(errorsIn(second)).toEqual([]);
    expect(second.records('follow_ups').length).toBeLessThan(30);
  });
});
