import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { runPlatform } from '../../../examples/platform.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tables } from '../../../src/tables/index.ts';
import { destinationQueue } from '../../../src/temporal/names.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const temporal = await connectToTestServer();

it('syncs a platform’s tables on schedules, with a key that never leaves its vault', async () => {
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 300, escalations: 50 } });
  const destination = await temporaryFolder();
  const scopes = tables.flatMap(({ scope }) =>
    scope === undefined || scope === 'users.view' ? [] : [scope],
  );
  const apiKey = sandbox.addKey({ key: 'inc_a-key-to-be-found-nowhere', scopes });
  const lines: string[] = [];
  try {
    await runPlatform({
      apiKey,
      baseUrl: sandbox.url,
      temporalAddress: temporal.address,
      destination,
      workflowBundle: temporal.workflowBundle,
      say: (line) => lines.push(line),
    });
    await expectTruth(sandbox, destination, ['severities', 'incidents', 'escalations']);
  } finally {
    await sandbox.stop();
  }
  const said = lines.join('\n');
  expect(said).toMatch(/^incidents: synced \(changes since /m);
  expect(said).toMatch(/^incidents: 300 rows, /m);
  expect(said).toMatch(
    /^users: failed, GET \/v2\/users: 403 .*\n {2}→ Grant the API key the scope users\.view/m,
  );
  expect(said).not.toContain(apiKey);

  const taskQueue = destinationQueue(destination);
  const runs = async () => {
    const found = [];
    const list = temporal.client.workflow.list({ query: `TaskQueue = '${taskQueue}'` });
    for await (const { workflowId } of list) found.push(workflowId);
    return found;
  };
  // The list lags behind: two runs of each of three tables, and the one that failed.
  await expect.poll(async () => (await runs()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(7);
  for (const workflowId of await runs()) {
    const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    const text = JSON.stringify(history).replaceAll(/"data":"([^"]*)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(text).toContain('connection-1');
    expect(text).not.toContain(apiKey);
  }
});

it('runs without an account', async () => {
  const { INCIDENT_IO_API_KEY: _, ...env } = process.env;
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', file('../../helpers/run-typescript.mjs'), file('../../../examples/platform.ts')],
    { env: { ...env, TEMPORAL_ADDRESS: temporal.address } },
  );
  expect(stdout).toMatch(/^incidents: 3000 rows, /m);
});

it('is quoted by the documentation', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const flat = (text: string) => text.replaceAll(/^ *\/\/.*\n/gm, '').replaceAll(/^ +/gm, '');
  const example = flat(await read('../../../examples/platform.ts'));
  const quotes = [...(await read('../../../docs/plugin.md')).matchAll(/^```ts\n([^]*?)^```/gm)];
  expect(quotes.length).toBeGreaterThan(5);
  for (const [, code] of quotes) expect(example).toContain(flat(code!));
});
