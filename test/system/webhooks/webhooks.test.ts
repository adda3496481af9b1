import { expect, it, onTestFinished } from 'vitest';
import { lastHintsOf } from '../../../src/connections/status/last-hints.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import type { Log } from '../../../src/serving/logs.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import type { TableSettings } from '../../../src/settings/settings.ts';
import { queryTables } from '../../../src/warehouse/read/query.ts';
import { receiveWebhooks } from '../../../src/webhooks/webhooks.ts';
import { cli } from '../../helpers/cli.ts';
import { link, type Linked } from '../../helpers/linked.ts';
import { freePort } from '../../helpers/serving.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`;
/** The schedules' own runs never come in these tests. */
const hourly: TableSettings = { syncMethod: 'incremental', incrementalField: 'updated_at', every: '1h' };
const byIncident: TableSettings = { syncMethod: 'incremental', every: '1h' };

/** A connection that receives webhooks, and whose schedules are not paused. */
async function hinted(
  sandbox: Sandbox,
  tables: { readonly [table: string]: TableSettings },
): Promise<Linked & { readonly url: string }> {
  const linked = await link(temporal, sandbox, {});
  const variable = unique('SECRET').replaceAll('-', '_');
  process.env[variable] = secret;
  Object.assign(linked.settings, { webhooks: { secret: { env: variable } } });
  for (const [table, settings] of Object.entries(tables)) await linked.link(table, settings, false);
  const address = `127.0.0.1:${await freePort()}`;
  const log: Log = () => undefined;
  const { client } = temporal;
  const receiver = await receiveWebhooks(address, {
    connections: () => [linked.settings],
    client,
    withWarehouse: (_settings, work) => work(linked.warehouse),
    log,
  });
  onTestFinished(async () => {
    await receiver.close();
    Reflect.deleteProperty(process.env, variable);
  });
  return { ...linked, url: `http://${address}/webhooks/${linked.settings.connection}` };
}

/** The value of a column in the row with this id, as it is committed now. */
async function valueIn({ destination }: Linked, table: string, column: string, id: string): Promise<unknown> {
  const sql = `SELECT ${column} FROM ${table} WHERE id = '${id}'`;
  const query = { sql, signal: new AbortController().signal };
  return queryTables(destination, query, async (result) => (await result.getRows())[0]?.[0]);
}

async function runsOf(linked: Linked, table: string): Promise<number> {
  return (await linked.schedule(table).describe()).info.numActionsTaken;
}

it('bring a change into its tables, children after their parent, long before the schedule', async () => {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 30, incident_updates: 60, alerts: 20 },
  });
  onTestFinished(() => sandbox.stop());
  const linked = await hinted(sandbox, { incidents: hourly, incident_updates: byIncident, alerts: hourly });
  await linked.serving(async () => {
    for (const table of ['incidents', 'incident_updates', 'alerts']) await linked.run(table);
    await linked.schedule('alerts').pause();
    const alertRuns = await runsOf(linked, 'alerts');
    const sender = sandbox.sendWebhooks({ url: linked.url, secret });

    const id = [...sandbox.records('incidents')].find(({ visibility }) => visibility === 'public')!['id'];
    const update = sandbox.create('incident_updates', { incident_id: id });
    sandbox.change('incidents', id as string, { name: 'Changed and hinted' });
    sandbox.create('alerts', { title: 'Nobody is told' });
    await sender.settled();
    await expect.poll(() => valueIn(linked, 'incidents', 'name', id as string)).toBe('Changed and hinted');
    // No event is about this row: its incident’s is, and it is read by the incident’s row.
    await expect
      .poll(() => valueIn(linked, 'incident_updates', 'incident_id', update['id'] as string))
      .toBe(id);
    expect(sender.deliveries.map(({ status }) => status)).toEqual([204, 204]);
    expect(await runsOf(linked, 'alerts')).toBe(alertRuns);

    await expect
      .poll(async () => Object.keys(await lastHintsOf(linked.warehouse, linked.settings.connection)))
      .toContain('incidents');
    const { out } = await cli(['status', '--settings', linked.file]);
    expect(out).toMatch(/Webhooks: the last one arrived .* ago/);
  });
});

it('a storm of them causes few runs, and leaves the tables correct', async () => {
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 40, incident_updates: 0 } });
  onTestFinished(() => sandbox.stop());
  const linked = await hinted(sandbox, { incidents: hourly });
  await linked.serving(async () => {
    await linked.run('incidents');
    const before = { runs: await runsOf(linked, 'incidents'), requests: sandbox.requests.length };
    const sender = sandbox.sendWebhooks({ url: linked.url, secret });
    for (let round = 0; round < 10; round += 1) {
      for (let each = 0; each < 40; each += 1) {
        sandbox.change('incidents', sandbox.idAt('incidents', each), { name: `Round ${round}` });
      }
      await sender.settled();
    }
    const last = sandbox.idAtShare('incidents', 0.99)!;
    await expect.poll(() => valueIn(linked, 'incidents', 'name', last)).toBe('Round 9');
    await expectTruth(sandbox, linked.destination, ['incidents']);
    // 400 hints; without pacing each would be a run of its own, or all of them would wait for the schedule.
    expect((await runsOf(linked, 'incidents')) - before.runs).toBeLessThan(10);
    expect(sandbox.requests.length - before.requests).toBeLessThan(100);
  });
});
