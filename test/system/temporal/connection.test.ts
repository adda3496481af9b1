import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import { connectTemporal } from '../../../src/temporal/connection.ts';
import { defaultStateDir } from '../../../src/temporal/dev-server/folders.ts';

let folder: string;
let env: NodeJS.ProcessEnv;

const connect = () => connectTemporal({ env, report: () => undefined });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incident-io-source-test-'));
  // Without the machine's own Temporal configuration, but with its cache of the CLI.
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('TEMPORAL_') || name === 'TEMPORAL_CLI_PATH',
  );
  env = {
    ...Object.fromEntries(own),
    XDG_STATE_HOME: folder,
    TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
  };
  return () => rm(folder, { recursive: true, force: true });
});

test('TEMPORAL_ADDRESS is used, and nothing is started', async () => {
  const address = inject('temporalAddress');
  env['TEMPORAL_ADDRESS'] = address;
  const temporal = await connect();
  expect(temporal).toMatchObject({ address, namespace: 'default', embedded: false });
  await temporal.close();
  await expect(access(defaultStateDir(env))).rejects.toThrow('ENOENT');
});

test('with an address no folder is needed: it works although none can be written to', async () => {
  env['TEMPORAL_ADDRESS'] = inject('temporalAddress');
  for (const name of ['XDG_STATE_HOME', 'XDG_CACHE_HOME', 'HOME']) env[name] = '/dev/null';
  const temporal = await connect();
  expect(temporal.embedded).toBe(false);
  await temporal.close();
});

test('the embedded server is reached past any proxy of the environment', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const variables = ['http_proxy', 'https_proxy', 'grpc_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
  // Clients look into the environment of the process, not into what they are given.
  for (const name of variables) vi.stubEnv(name, 'http://127.0.0.1:9');
  const temporal = await connect();
  const client = new Client({ connection: temporal.connection });
  await client.workflow.start('nothing', { workflowId: 'w', taskQueue: 'nobody' });
  expect((await client.workflow.getHandle('w').describe()).status.name).toBe('RUNNING');
  await temporal.close();
});

test('an empty TEMPORAL_ADDRESS counts as unset', async () => {
  env['TEMPORAL_ADDRESS'] = '';
  const temporal = await connect();
  expect(temporal.embedded).toBe(true);
  await temporal.close();
});

test('a profile of the configuration file is used', async () => {
  const address = inject('temporalAddress');
  await writeFile(
    join(folder, 'temporal.toml'),
    `[profile.default]\naddress = "127.0.0.1:1"\n[profile.cloud]\naddress = "${address}"\n`,
  );
  env['TEMPORAL_PROFILE'] = 'cloud';
  const temporal = await connect();
  expect(temporal).toMatchObject({ address, embedded: false });
  await temporal.close();
});

test('without an address the embedded server is used by clients, and ends with the last of them', async () => {
  const temporal = await connect();
  expect(temporal).toMatchObject({ namespace: 'default', embedded: true });
  const client = new Client({ connection: temporal.connection, namespace: temporal.namespace });
  await client.workflow.start('nothing', { workflowId: 'w', taskQueue: 'nobody' });

  const second = await connect();
  await temporal.close();
  const other = new Client({ connection: second.connection });
  expect((await other.workflow.getHandle('w').describe()).status.name).toBe('RUNNING');
  await second.close();
  env['TEMPORAL_ADDRESS'] = temporal.address;
  await expect(connect()).rejects.toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringContaining(temporal.address) as string,
  });
});

test('a namespace that the server lacks is an error that says how to create it', async () => {
  const address = inject('temporalAddress');
  env['TEMPORAL_ADDRESS'] = address;
  env['TEMPORAL_NAMESPACE'] = 'elsewhere';
  await expect(connect()).rejects.toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringMatching(/no namespace elsewhere/) as string,
    advice: expect.stringContaining(`namespace create --address ${address} --namespace elsewhere`) as string,
  });
});

test.for([
  [{ TEMPORAL_API_KEY: 'temporal-secret' }, 'apiKey'],
  [{ TEMPORAL_NAMESPACE: 'mine.a1b2c' }, 'namespace'],
  [{ TEMPORAL_TLS: 'true' }, 'tls'],
  [{ TEMPORAL_PROFILE: 'cluod' }, 'cluod'],
] as const)('%o without an address is an error, not an embedded server', async ([variables, word]) => {
  Object.assign(env, variables);
  const error = (await connect().catch((error: unknown) => error)) as Error;
  expect(error.name).toBe('UsageError');
  expect(error.message).toContain(word);
  expect(error.message).not.toContain('temporal-secret');
});
