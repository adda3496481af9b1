import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { beforeEach, expect, inject, test } from 'vitest';
import { connectTemporal } from '../../../src/temporal/connection.ts';
import { defaultStateDir } from '../../../src/temporal/dev-server/dev-server.ts';

let folder: string;
let env: NodeJS.ProcessEnv;

const connect = () => connectTemporal({ env, report: () => undefined });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incident-io-source-test-'));
  // Without the machine's own Temporal configuration, and with its cache of the CLI.
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

test('an empty TEMPORAL_ADDRESS is none', async () => {
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
  await expect(connect()).rejects.toThrow(`No Temporal server answers at ${temporal.address}`);
});

test('an unreachable server is an error that names its address', async () => {
  env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
  await expect(connect()).rejects.toMatchObject({
    name: 'TemporalUnavailableError',
    message: 'No Temporal server answers at 127.0.0.1:1: Connection refused',
  });
});

test('a namespace that the server lacks is an error that names it', async () => {
  env['TEMPORAL_ADDRESS'] = inject('temporalAddress');
  env['TEMPORAL_NAMESPACE'] = 'elsewhere';
  await expect(connect()).rejects.toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringContaining('namespace elsewhere') as string,
  });
});

test.for([
  [{ TEMPORAL_API_KEY: 'temporal-secret' }, 'apiKey'],
  [{ TEMPORAL_NAMESPACE: 'mine.a1b2c' }, 'namespace'],
  [{ TEMPORAL_TLS: 'true' }, 'tls'],
  [{ TEMPORAL_PROFILE: 'cluod' }, 'cluod'],
] as const)('%o without a server to go to is an error, not an embedded server', async ([variables, word]) => {
  Object.assign(env, variables);
  const error = (await connect().catch((error: unknown) => error)) as Error;
  expect(error.name).toBe('UsageError');
  expect(error.message).toContain(word);
  expect(error.message).not.toContain('temporal-secret');
});
