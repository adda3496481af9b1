import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { applySchedules, planApply } from '../src/connections/apply.ts';
import { syncBySchedule } from '../src/connections/runs/sync-by-schedule.ts';
import { scheduledTables } from '../src/connections/schedule/schedule-lookup.ts';
import { type Sandbox, sandboxSecret, sandboxSizes, startSandbox } from '../src/sandbox/sandbox.ts';
import { readSettings } from '../src/settings/file.ts';
import type { Settings } from '../src/settings/settings.ts';
import { tableNamed } from '../src/tables/index.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { queryTables } from '../src/warehouse/read/query.ts';
import { type Figure, quantile } from './figures.ts';
import { freePort } from './measured-server.ts';

const keyVariable = 'INCIDENT_IO_BENCH_KEY';
const secretVariable = 'INCIDENT_IO_BENCH_SECRET';
const signal = new AbortController().signal;

/** The tables that change, each with the column that is changed. */
const texts = { incidents: 'name', alerts: 'title', follow_ups: 'title', escalations: 'title' } as const;
type Changed = keyof typeof texts;
/** What happens in an account: mostly alerts, and updates of incidents. */
const often: readonly Changed[] = ['incidents', 'alerts', 'incidents', 'follow_ups', 'alerts', 'escalations'];

/** An account that sends webhooks to a worker of its own. */
type Account = { readonly sandbox: Sandbox; readonly client: Client; readonly settings: Settings };

/** How soon a change is in its table, and what a storm of webhooks costs. */
export async function benchWebhooks(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-webhooks-'));
  const sandbox = await startSandbox({
    sizes: sandboxSizes.demo,
    latencyMs: 100,
    until: new Date().toISOString(),
  });
  const server = await useTemporaryDevServer({ env: process.env, report: console.error });
  const connection = await Connection.connect({ address: server.address });
  const address = `127.0.0.1:${await freePort()}`;
  Object.assign(process.env, { [keyVariable]: sandbox.key, [secretVariable]: sandboxSecret });
  const file = join(folder, 'incident-io.json');
  const tables = Object.fromEntries([...Object.keys(texts), 'incident_updates'].map((table) => [table, {}]));
  const webhooks = { secret: { env: secretVariable } };
  const apiKey = { env: keyVariable };
  const content = { version: 2, connection: 'bench', apiKey, baseUrl: sandbox.url, webhooks, tables };
  await writeFile(file, JSON.stringify({ ...content, destination: './warehouse' }));
  const worker = startWorker(file, address, { ...process.env, TEMPORAL_ADDRESS: server.address });
  try {
    const account = { sandbox, client: new Client({ connection }), settings: await readSettings(file) };
    await worker.ready;
    await firstSync(account);
    const url = `http://${address}/webhooks/bench`;
    const sender = sandbox.sendWebhooks({ url, secret: sandboxSecret });
    const figures = [
      ...(await changesFigures(account, 60)),
      ...(await stormFigures(account, sender, 10_000)),
    ];
    return figures;
  } finally {
    worker.child.kill('SIGTERM');
    await once(worker.child, 'close');
    await connection.close();
    await server.release();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function firstSync({ client, settings }: Account): Promise<void> {
  await applySchedules(client, settings, await planApply(client, settings, 'unknown'), signal);
  const tables = Object.keys(settings.tables).map(tableNamed);
  const scheduled = await scheduledTables(client, settings, tables);
  const outcomes = await syncBySchedule(
    client,
    scheduled.map(({ table, description }) => ({ table: table.name, description })),
    { onTriggered() {}, onProgress() {}, onOutcome() {}, interrupt: signal },
  );
  const failed = outcomes.filter(({ status }) => status !== 'synced');
  if (failed.length > 0) throw new Error(`the first sync failed: ${JSON.stringify(failed)}`);
}

/** One change that is not in its table yet. */
type Open = { readonly table: Changed; readonly id: string; readonly text: string; readonly at: number };

/** Makes changes at random moments, three seconds apart on average, and waits until each is in its table. */
async function changesFigures(account: Account, count: number): Promise<Figure[]> {
  const { sandbox, settings } = account;
  let open: Open[] = [];
  const seconds: number[] = [];
  const versions = new Map<Changed, string | undefined>();
  let isMaking = true;
  const making = (async () => {
    for (let made = 0; made < count; made += 1) {
      await sleep(-Math.log(1 - Math.random()) * 3_000);
      const table = often[made % often.length]!;
      const text = `Change ${made}`;
      open.push({ table, id: changeOne(sandbox, table, text, Math.random()), text, at: Date.now() });
    }
    isMaking = false;
  })();
  for (;;) {
    if (!isMaking && open.length === 0) break;
    await sleep(50);
    for (const table of new Set(open.map((change) => change.table))) {
      // Querying the rows each time would use up the processor time that the worker needs.
      const log = await readdir(join(settings.destination, table, '_delta_log'));
      const newest = log
        .filter((name) => /^\d+\.json$/.test(name))
        .toSorted()
        .at(-1);
      if (newest === versions.get(table)) continue;
      versions.set(table, newest);
      const rows = await textsIn(
        settings,
        table,
        open.filter((change) => change.table === table).map(({ id }) => id),
      );
      const isSeen = (change: Open) => change.table === table && rows.get(change.id) === change.text;
      for (const { at } of open.filter(isSeen)) seconds.push((Date.now() - at) / 1_000);
      open = open.filter((change) => !isSeen(change));
    }
  }
  await making;
  const share = (part: number) => quantile(seconds, part);
  const shown = (value: number) => `${value.toFixed(2)} s`;
  return [
    { what: `a change to its row in the table: median of ${count}`, measured: shown(share(0.5)) },
    { what: '95 % of them within', measured: shown(share(0.95)), reach: '≤ 5 s', ratio: share(0.95) / 5 },
    { what: 'the slowest', measured: shown(share(1)) },
  ];
}

/** Changes a row so that incident.io sends an event; an alert is created, as their other changes send none. */
function changeOne(sandbox: Sandbox, table: Changed, text: string, share: number): string {
  const patch = { [texts[table]]: text };
  if (table === 'alerts' || table === 'escalations') return sandbox.create(table, patch)['id'] as string;
  const id = sandbox.idAtShare(table, share)!;
  sandbox.change(table, id, patch);
  return id;
}

async function stormFigures(
  account: Account,
  sender: ReturnType<Sandbox['sendWebhooks']>,
  count: number,
): Promise<Figure[]> {
  const { sandbox } = account;
  const before = { requests: sandbox.requests.length, deliveries: sender.deliveries.length };
  const began = Date.now();
  for (let sent = 0; sent < count; sent += 1) {
    const dueMs = (sent * 60_000) / count;
    const early = began + dueMs - Date.now();
    if (early > 5) await sleep(early);
    changeOne(sandbox, often[sent % often.length]!, `Storm ${sent}`, (sent % 997) / 997);
  }
  const lasted = (Date.now() - began) / 1_000;
  await sender.settled();
  const right = await untilRight(account);
  const requests = sandbox.requests.slice(before.requests);
  const deliveries = sender.deliveries.slice(before.deliveries);
  const inMinute = requests.filter(({ at }) => at < began + 60_000);
  const ofIncidents = inMinute.filter(({ url }) => url.startsWith('/v2/incidents?'));
  const refused = requests.filter(({ status }) => status === 429).length;
  const taken = deliveries.filter(({ status }) => status === 204).length;
  return [
    {
      what: `storm: ${count} changes in ${lasted.toFixed(0)} s: webhooks that were taken`,
      measured: `${taken} of ${deliveries.length}`,
    },
    {
      what: 'storm: requests to the API in the minute, of 1,200 tokens and 1,200 more',
      measured: String(inMinute.length),
      reach: '≤ 600',
      ratio: inMinute.length / 600,
    },
    {
      what: 'storm: requests to GET /v2/incidents in the minute, of 60 and 60 more',
      measured: String(ofIncidents.length),
      reach: '≤ 60',
      ratio: ofIncidents.length / 60,
    },
    { what: 'storm: requests that the API refused (429)', measured: String(refused) },
    { what: 'storm: from the last change until all tables are right', measured: `${right.toFixed(1)} s` },
  ];
}

/** Seconds until every row of the tables is as it is at the source. */
async function untilRight({ sandbox, settings }: Account): Promise<number> {
  const began = Date.now();
  for (;;) {
    const wrong = await Promise.all(
      (Object.keys(texts) as Changed[]).map(async (table) => {
        const rows = await textsIn(settings, table);
        const truth = [...sandbox.records(table)];
        return (
          rows.size === truth.length &&
          truth.every((row) => rows.get(row['id'] as string) === row[texts[table]])
        );
      }),
    );
    if (wrong.every(Boolean)) return (Date.now() - began) / 1_000;
    if (Date.now() - began > 180_000)
      throw new Error('the tables are not right three minutes after the storm');
    await sleep(500);
  }
}

/** The changed column of the rows with these ids, or of all rows. */
async function textsIn(
  { destination }: Settings,
  table: Changed,
  ids?: readonly string[],
): Promise<Map<string, unknown>> {
  const where = ids ? ` WHERE id IN (${ids.map((id) => `'${id}'`).join(', ')})` : '';
  const sql = `SELECT id, ${texts[table]} FROM ${table}${where}`;
  return queryTables(destination, { sql, signal }, async (result) => {
    const rows = (await result.getRows()) as [string, unknown][];
    return new Map(rows);
  });
}

function startWorker(
  file: string,
  address: string,
  env: NodeJS.ProcessEnv,
): { child: ChildProcess; ready: Promise<void> } {
  const main = fileURLToPath(new URL(`../src/cli/main${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [main, 'worker', '--settings', file, '--webhooks', address], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => {
      said = `${said}${text.toString()}`.slice(-10_000);
      if (said.includes('worker started')) resolve();
    });
    child.once('close', () => reject(new Error(`the worker ended: ${said}`)));
  });
  return { child, ready };
}
