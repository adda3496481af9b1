import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { UsageError } from '../../../../src/errors.ts';
import { settingsOf } from '../../../../src/settings/schema.ts';
import { type Settings, settingsVersion } from '../../../../src/settings/settings.ts';
import { scheduleId, workerQueue } from '../../../../src/temporal/names.ts';
import { applySchedules, planApply } from '../../../../src/connections/apply.ts';
import { removeSchedules } from '../../../../src/connections/unlink.ts';
import { tables } from '../../../../src/tables/index.ts';
import { connectToTestServer, unique } from '../../../helpers/temporal.ts';

const { client } = await connectToTestServer();
const never = new AbortController().signal;
const account = 'https://app.incident.io/acme';

/** Settings with a connection name that no other test uses. Their schedules are deleted after the test. */
function settingsWith(entries: object, others: object = {}): Settings {
  const connection = unique('apply');
  onTestFinished(async () => {
    for (const { name } of tables) {
      await client.schedule
        .getHandle(scheduleId(connection, name))
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        });
    }
  });
  const apiKey = { env: 'INCIDENT_IO_API_KEY' };
  const file = '/settings/incident-io.json';
  return settingsOf(
    { version: settingsVersion, connection, apiKey, destination: 'warehouse', tables: entries, ...others },
    file,
  );
}

async function apply(settings: Settings, as = account) {
  const changes = await planApply(client, settings, as);
  await applySchedules(client, settings, changes, never);
  return Object.fromEntries(changes.map(({ table, ...change }) => [table, change]));
}

const handleOf = ({ connection }: Settings, table: string) =>
  client.schedule.getHandle(scheduleId(connection, table));

describe('schedules', () => {
  it('are created as the settings say, and then nothing is left to do', async () => {
    const settings = settingsWith({ incidents: { every: '5m', fullReadEvery: '7d' }, users: {} });
    expect(await apply(settings)).toMatchObject({
      incidents: { change: 'create' },
      users: { change: 'create' },
    });
    expect(await planApply(client, settings, account)).toEqual([
      { table: 'incidents', change: 'none' },
      { table: 'users', change: 'none' },
    ]);

    const { spec, action, policies } = await handleOf(settings, 'incidents').describe();
    const [{ every, offset } = { every: 0, offset: 0 }] = spec.intervals ?? [];
    expect(every).toBe(300_000);
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThan(300_000);
    expect(policies).toEqual({
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: 300_000,
      pauseOnFailure: false,
    });
    expect(action).toMatchObject({
      workflowType: 'syncTable',
      workflowId: `${scheduleId(settings.connection, 'incidents')}-workflow`,
      taskQueue: workerQueue({ destination: '/settings/warehouse' }),
      args: [
        {
          run: {
            table: 'incidents',
            account,
            apiKey: { env: 'INCIDENT_IO_API_KEY' },
            limits: { giveUpAfterMs: 3_600_000 },
            retentionMs: 7 * 86_400_000,
          },
          syncMethod: 'incremental',
          incrementalField: 'updated_at',
          fullReadEveryMs: 7 * 86_400_000,
        },
      ],
    });
  });

  it('do not all start at the same time', async () => {
    const settings = settingsWith(Object.fromEntries(tables.map(({ name }) => [name, { every: '6h' }])));
    const changes = await planApply(client, settings, account);
    const offsets = changes.map((change) =>
      'desired' in change ? change.desired.options.spec.intervals?.[0]?.offset : undefined,
    );
    // They are derived from the names, as a second within six hours: two of many may coincide.
    expect(new Set(offsets).size).toBeGreaterThan(0.9 * tables.length);
  });

  it('are updated if they differ, deleted with their table, and stay paused', async () => {
    const before = settingsWith({ incidents: { every: '5m' }, users: {}, alerts: {} });
    await apply(before);
    await handleOf(before, 'incidents').pause('maintenance until Monday');
    const { users } = before.tables;
    const after: Settings = {
      ...before,
      tables: {
        incidents: { syncMethod: 'full_refresh', every: '30d' },
        users: users!,
        severities: { syncMethod: 'full_refresh', every: '6h' },
      },
    };
    const changes = await apply(after);
    expect(changes).toMatchObject({
      alerts: { change: 'delete' },
      incidents: { change: 'update' },
      severities: { change: 'create' },
      users: { change: 'none' },
    });
    expect(changes['incidents']).toMatchObject({
      differences: [
        { name: 'every', from: '5m', to: '30d' },
        { name: 'offset' },
        { name: 'catch up', from: '5m', to: '30d' },
        { name: 'run.limits.giveUpAfter', from: '1h', to: '24h' },
        { name: 'syncMethod', from: 'incremental', to: 'full_refresh' },
        { name: 'incrementalField', from: 'updated_at' },
        { name: 'fullReadEvery', from: '24h' },
      ],
    });
    const { state } = await handleOf(after, 'incidents').describe();
    expect(state).toMatchObject({ paused: true, note: 'maintenance until Monday' });
    await expect(handleOf(after, 'alerts').describe()).rejects.toThrow(ScheduleNotFoundError);
    expect((await planApply(client, after, account)).map(({ change }) => change)).toEqual([
      'none',
      'none',
      'none',
    ]);
  });

  it('are corrected if they were changed by hand', async () => {
    const settings = settingsWith({ users: {} });
    await apply(settings);
    const handle = handleOf(settings, 'users');
    await handle.update(({ spec, action, policies, state }) => ({
      spec: { intervals: spec.intervals!, jitter: '1 minute', cronExpressions: ['0 12 * * *'] },
      action: { ...action, workflowRunTimeout: '1 hour' },
      policies: { ...policies, overlap: ScheduleOverlapPolicy.ALLOW_ALL },
      state,
    }));
    const [change] = await planApply(client, settings, account);
    const names = change?.change === 'update' ? change.differences.map(({ name }) => name) : [];
    expect(names).toEqual(
      expect.arrayContaining([
        'overlap',
        'workflowRunTimeout',
        'times.jitter',
        'times.calendars.0.hour.0.start',
      ]),
    );
    await applySchedules(client, settings, [change!], never);
    expect(await planApply(client, settings, account)).toEqual([{ table: 'users', change: 'none' }]);
  });

  it('keep their account if the identity cannot be read this time', async () => {
    const settings = settingsWith({ users: {} });
    await apply(settings);
    expect(await planApply(client, settings, 'unknown')).toEqual([{ table: 'users', change: 'none' }]);
  });

  it('whose account resync has cleared do not count as different', async () => {
    const settings = settingsWith({ users: {} });
    await apply(settings, 'unknown');
    expect(await planApply(client, settings, account)).toEqual([{ table: 'users', change: 'none' }]);
    const more: Settings = { ...settings, tables: { users: { syncMethod: 'full_refresh', every: '1h' } } };
    const [change] = await planApply(client, more, account);
    const names = change?.change === 'update' ? change.differences.map(({ name }) => name) : [];
    expect(names).toContain('every');
    expect(names).not.toContain('run.account');
    await applySchedules(client, more, [change!], never);
    const { action } = await handleOf(settings, 'users').describe();
    expect(action.args).toMatchObject([{ run: { account } }]);
  });

  it('that this program did not create are never touched, whether they are in the way or not', async () => {
    const settings = settingsWith({ users: {} });
    const foreign = scheduleId(settings.connection, 'users');
    await client.schedule.create({
      scheduleId: foreign,
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: 'other', taskQueue: 'other' },
    });
    await expect(apply(settings)).rejects.toThrow(UsageError);
    await expect(apply(settings)).rejects.toThrow(foreign);
    await apply({ ...settings, tables: { severities: { syncMethod: 'full_refresh', every: '6h' } } });
    expect(await removeSchedules(client, settings, never)).toEqual({
      tables: ['severities'],
      unanswered: [],
    });
    expect((await client.schedule.getHandle(foreign).describe()).action.workflowType).toBe('other');
  });

  it('of another connection with the same name are refused, and nothing is changed', async () => {
    const settings = settingsWith({ users: {} });
    await apply(settings);
    const other: Settings = {
      ...settings,
      destination: '/elsewhere',
      tables: { severities: { syncMethod: 'full_refresh', every: '6h' } },
    };
    const refused = new RegExp(`${settings.connection}.* /settings/warehouse.* /elsewhere`);
    await expect(apply(other)).rejects.toThrow(UsageError);
    await expect(apply(other)).rejects.toThrow(refused);
    await expect(removeSchedules(client, other, never)).rejects.toThrow(refused);
    await expect(handleOf(settings, 'severities').describe()).rejects.toThrow(ScheduleNotFoundError);

    const host = process.env['INCIDENT_IO_SOURCE_HOST']!;
    process.env['INCIDENT_IO_SOURCE_HOST'] = 'another-host';
    onTestFinished(() => void (process.env['INCIDENT_IO_SOURCE_HOST'] = host));
    await expect(apply(settings)).rejects.toThrow(host);
  });
});
