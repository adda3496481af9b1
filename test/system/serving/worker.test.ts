import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { useDevServer } from '../../../src/temporal/dev-server/dev-server.ts';
import { startCommand } from '../../helpers/command.ts';
import { freePort, scrape } from '../../helpers/serving.ts';
import {
  keyVariable,
  settingsFor,
  startOnWorkerQueue,
  type TestSettings,
} from '../../helpers/worker-queue.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

const temporal = await connectToTestServer();

/** A key that cannot occur in a log by chance, and that JSON escapes. */
const key = 'inc_"secret"\\4711';

async function sandboxOf(options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', key: { key }, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

function startWorker({ file }: TestSettings, { address = temporal.address, args = [] as string[] } = {}) {
  return startCommand(['worker', '--settings', file, ...args], {
    TEMPORAL_ADDRESS: address,
    [keyVariable]: key,
  });
}

/** Resolves once the sandbox has been asked this often. */
async function asked(sandbox: Sandbox, times: number): Promise<void> {
  while (sandbox.requests.length < times) await sleep(5);
}

const everySixHours = { syncMethod: 'full_refresh', every: '6h' } as const;

it.each([
  ['in an activity', undefined],
  ['within a workflow task', 'local'],
] as const)('hands over on SIGTERM what it holds %s, and nothing staged is read twice', async (_, quick) => {
  const sandbox = await sandboxOf({ latencyMs: 25, sizes: { incident_updates: 15_000 } });
  const settings = await settingsFor(sandbox, { incident_updates: everySixHours });
  const first = startWorker(settings);
  await first.says('worker started');
  const run = await startOnWorkerQueue(temporal.client, sandbox, settings, 'incident_updates', quick);
  await asked(sandbox, 15);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  // If the signal had not ended the batch, it would have read its ten thousand rows.
  expect(sandbox.requests.length).toBeLessThan(40);

  startWorker(settings);
  const { read } = await run.result();
  await expectTruth(sandbox, settings.destination, ['incident_updates']);
  // The batch was completed, not retried: what it had read counts, and no page counts twice (the last one is empty).
  expect(read).toMatchObject({ rows: 15_000, pages: 61, batches: 3 });
  // Only the page that was being read at that moment is requested a second time.
  const urls = sandbox.requests.map(({ url }) => url).filter((url) => url.startsWith('/v2/incident_updates'));
  expect(urls.length - new Set(urls).size).toBeLessThanOrEqual(1);
});

it('shares its queue with another worker, whose SIGKILL only costs time', { timeout: 90_000 }, async () => {
  const sandbox = await sandboxOf({ latencyMs: 20, sizes: { incident_updates: 4_000, alerts: 6_000 } });
  const tables = ['incident_updates', 'alerts'] as const;
  const settings = await settingsFor(sandbox, { incident_updates: everySixHours, alerts: everySixHours });
  const [one, other] = [startWorker(settings), startWorker(settings)];
  await Promise.all([one.says('worker started'), other.says('worker started')]);
  const runs = await Promise.all(
    tables.map((table) => startOnWorkerQueue(temporal.client, sandbox, settings, table)),
  );
  await asked(sandbox, 60);
  one.child.kill('SIGKILL');
  await Promise.all(runs.map((run) => run.result()));
  await expectTruth(sandbox, settings.destination, tables);
});

it('is killed while it does a run within a workflow task: another worker does it, and no row comes twice', async () => {
  const sandbox = await sandboxOf({ latencyMs: 20, sizes: { incident_updates: 4_000 } });
  const settings = await settingsFor(sandbox, { incident_updates: everySixHours });
  const first = startWorker(settings);
  await first.says('worker started');
  const run = await startOnWorkerQueue(temporal.client, sandbox, settings, 'incident_updates', 'local');
  await asked(sandbox, 8);
  first.child.kill('SIGKILL');
  startWorker(settings);
  expect(await run.result()).toMatchObject({ rows: 4_000, changes: { inserted: 4_000 } });
  await expectTruth(sandbox, settings.destination, ['incident_updates']);
});

it('continues when the Temporal server ends and comes back', { timeout: 90_000 }, async () => {
  const sandbox = await sandboxOf({ latencyMs: 20, sizes: { incident_updates: 15_000 } });
  const settings = await settingsFor(sandbox, { incident_updates: everySixHours });
  const server = { stateDir: settings.folder, env: process.env, report: () => undefined };
  const before = await useDevServer(server);
  onTestFinished(() => before.release());
  const { address } = before;
  const worker = startWorker(settings, { address });
  await worker.says('worker started');
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  const run = await startOnWorkerQueue(new Client({ connection }), sandbox, settings, 'incident_updates');
  await asked(sandbox, 20);
  process.kill(before.pid, 'SIGKILL');
  await asked(sandbox, 30);
  const after = await useDevServer(server);
  onTestFinished(() => after.release());
  expect(after.address).toBe(address);
  const { rows } = await run.result();
  expect(rows).toBe(15_000);
  await expectTruth(sandbox, settings.destination, ['incident_updates']);
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});

describe('log and metrics', () => {
  it('are JSON lines with the figures of each run and never the key, and metrics that agree', async () => {
    const sandbox = await sandboxOf({
      sizes: { incident_updates: 2_000, users: 10 },
      limits: { all: { capacity: 5, perSecond: 10 }, incidents: { capacity: 60, perSecond: 60 } },
    });
    sandbox.fault({ table: 'users', fault: { kind: 'error', status: 422 } });
    const settings = await settingsFor(sandbox, {
      incident_updates: everySixHours,
      users: everySixHours,
      severities: everySixHours,
    });
    const [address, webhooks] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const worker = startWorker(settings, { args: ['--metrics', address, '--webhooks', webhooks] });
    await worker.says('worker started');
    const hinted = await fetch(`http://${webhooks}/webhooks/nobody`, { method: 'POST', body: '{}' });
    expect(hinted.status).toBe(404);
    const start = (table: string) => startOnWorkerQueue(temporal.client, sandbox, settings, table);
    const good = await start('incident_updates');
    const result = await good.result();
    await expect((await start('users')).result()).rejects.toThrow('Workflow execution failed');
    await worker.says('run failed');
    const figures = await scrape(address);
    expect(figures('incident_io_source_hints_total', '', 'outcome="unknown_connection"')).toBe(1);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);

    const lines = worker
      .err()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly [name: string]: unknown });
    expect(lines.find(({ msg }) => msg === 'run ended')).toMatchObject({
      level: 'info',
      table: 'incident_updates',
      run: good.firstExecutionRunId,
      rows: 2_000,
      requests: result.read.requests,
      seconds: result.seconds,
    });
    expect(lines.find(({ msg }) => msg === 'run failed')).toMatchObject({
      level: 'error',
      table: 'users',
      error: 'FilterRejectedError',
      message: expect.stringContaining('422') as string,
      advice: expect.stringMatching(/\w/) as string,
    });
    expect(worker.out() + worker.err()).not.toContain('4711');

    const requests = (table: string) =>
      sandbox.requests.filter((request) => request.table === table && request.status !== 429).length;
    // One series, although its zero and its runs are counted in different places.
    expect(figures.series('incident_io_source_runs_total', 'users', 'outcome="failed"')).toBe(1);
    expect(figures('incident_io_source_runs_total', 'incident_updates', 'outcome="synced"')).toBe(1);
    expect(figures('incident_io_source_runs_total', 'users', 'outcome="failed"')).toBe(1);
    expect(figures('incident_io_source_rows_total', 'incident_updates')).toBe(2_000);
    expect(figures('incident_io_source_requests_total', 'incident_updates')).toBeGreaterThanOrEqual(
      requests('incident_updates'),
    );
    expect(figures('incident_io_source_limit_wait_seconds_total', 'incident_updates')).toBe(
      Math.floor(result.read.waitedMs / 1_000),
    );
    expect(figures('incident_io_source_lag_seconds', 'severities')).toBe(Infinity);
    expect(figures('incident_io_source_frequency_seconds', 'severities')).toBe(21_600);
    expect(figures('incident_io_source_batches_total', 'incident_updates')).toBe(1);
    expect(figures('incident_io_source_batch_seconds_count', 'incident_updates')).toBe(result.read.batches);
    expect(figures('incident_io_source_commits_total', 'incident_updates', 'outcome="committed"')).toBe(1);
    expect(figures('incident_io_source_commit_seconds_count', 'incident_updates')).toBe(1);
    expect(figures('incident_io_source_rows_changed_total', 'incident_updates', 'change="inserted"')).toBe(
      2_000,
    );
    expect(figures('incident_io_source_written_bytes_total', 'incident_updates')).toBe(
      result.changes?.bytesWritten,
    );
    // A scraper has labels of its own, such as namespace; ours must not clash with them.
    const labels = (of: RegExp) => [...new Set(figures.text.match(of)?.map((text) => text.slice(1, -2)))];
    const ours = figures.text.split('\n').filter((line) => line.startsWith('incident_io_source_'));
    const names = new Set(ours.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, name]) => name)));
    expect([...names].sort((a, b) => (a! < b! ? -1 : 1))).toEqual([
      'change',
      'connection',
      'le',
      'outcome',
      'table',
    ]);
    expect(labels(/[{,]\w+="/g).filter((name) => /[^a-z_]/.test(name))).toEqual([]);
    // Prometheus sees no increase in a series whose first value is the first failure.
    expect(figures('incident_io_source_runs_total', 'severities', 'outcome="failed"')).toBe(0);
    // They begin with the first webhook that triggers a table.
    const sinceWebhook = [
      'incident_io_source_hint_triggers_total',
      'incident_io_source_event_seconds_bucket',
    ];
    for (const [file, missing] of [
      ['grafana-dashboard.json', sinceWebhook],
      ['prometheus-alerts.yml', []],
    ] as const) {
      const used = readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8');
      const names = new Set(used.match(/\b(incident_io_source|temporal)_[a-z_]+/g));
      expect(names.size).toBeGreaterThan(4);
      expect([...names].filter((name) => figures(name, '') === undefined)).toEqual(missing);
    }
    expect(
      figures('temporal_worker_task_slots_available', '', `connection="${settings.connection}"`),
    ).toBeGreaterThan(0);
  });

  it('are not started if the worker cannot work', async () => {
    const sandbox = await sandboxOf({});
    const settings = await settingsFor(sandbox, { severities: everySixHours });
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void taken.close());
    const withoutKey = startCommand(['worker', '--settings', settings.file], {
      TEMPORAL_ADDRESS: temporal.address,
    });
    const withoutPort = startWorker(settings, { args: ['--metrics', `127.0.0.1:${port}`] });
    const withoutWebhooks = startWorker(settings, { args: ['--webhooks', `127.0.0.1:${port}`] });
    const withoutSettings = startCommand(['worker', '--settings', `${settings.file}.not`]);
    const nowhere = `127.0.0.1:${await freePort()}`;
    const withoutServer = startWorker(settings, { address: nowhere });
    const all = [withoutKey, withoutPort, withoutWebhooks, withoutSettings, withoutServer];
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual([1, 2, 2, 2, 1]);
    // Whoever waits for this may send webhooks at once.
    for (const { err } of all) expect(err()).not.toContain('worker started');
    expect(withoutKey.err()).toContain(keyVariable);
    expect(withoutPort.err()).toContain(`127.0.0.1:${port}`);
    expect(withoutWebhooks.err()).toContain(`127.0.0.1:${port}`);
    expect(withoutSettings.err()).toContain(`${settings.file}.not`);
    expect(withoutServer.err()).toContain(nowhere);
  });
});
