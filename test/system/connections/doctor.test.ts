import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { cli } from '../../helpers/cli.ts';
import { setEnv } from '../../helpers/environment.ts';
import { temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

const temporal = await connectToTestServer();

type Finding = {
  readonly check: string;
  readonly state: string;
  readonly error?: string;
  readonly advice?: string;
};

it('finds everything in order, or names each thing that is not and its remedy', async () => {
  const sandbox = await startSandbox({ limits: 'off' });
  onTestFinished(() => sandbox.stop());
  const folder = await temporaryFolder();
  const file = join(folder, 'incident-io.json');
  const settings = {
    version: 2,
    connection: 'prod',
    apiKey: { env: 'DOCTOR_KEY' },
    baseUrl: sandbox.url,
    destination: './tables',
    tables: { users: {}, incidents: {} },
    webhooks: { secret: { env: 'DOCTOR_SECRET' } },
    notify: { url: { env: 'DOCTOR_URL' } },
  };
  await writeFile(file, JSON.stringify(settings));
  const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  const url = 'https://hooks.example/T01/B02/not-for-logs';
  setEnv({
    TEMPORAL_ADDRESS: temporal.address,
    DOCTOR_KEY: sandbox.key,
    DOCTOR_SECRET: secret,
    DOCTOR_URL: url,
  });
  const doctor = async () => {
    const { code, out, err } = await cli(['doctor', '--json', '--settings', file]);
    expect(err).toBe('');
    const findings = JSON.parse(out) as Finding[];
    return { code, of: (check: string) => findings.find((one) => one.check === check), findings };
  };
  const healthy = await doctor();
  expect(healthy.findings.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(healthy.code).toBe(0);

  sandbox.setScopes(sandbox.key, ['users.view']);
  await writeFile(join(folder, 'file'), '');
  await writeFile(file, JSON.stringify({ ...settings, destination: './file' }));
  const ill = await doctor();
  expect(ill.code).toBe(1);
  expect(ill.of('scopes')).toMatchObject({
    state: 'wrong',
    advice: expect.stringContaining('incidents.view') as string,
  });
  expect(ill.of('destination')).toMatchObject({ state: 'wrong', error: 'DestinationError' });

  expect(JSON.stringify([healthy, ill])).not.toContain(url);
  expect(JSON.stringify([healthy, ill])).not.toContain(secret);

  setEnv({
    DOCTOR_KEY: 'wrong-key',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    DOCTOR_SECRET: 'not-a-secret',
    DOCTOR_URL: undefined,
  });
  const worse = await doctor();
  expect(worse.of('webhooks')).toMatchObject({ state: 'wrong', error: 'UsageError' });
  expect(worse.of('notify')).toMatchObject({ state: 'wrong', error: 'KeyMissingError' });
  expect(worse.of('api_key')).toMatchObject({ state: 'wrong', error: 'CredentialsError' });
  expect(worse.of('scopes')).toMatchObject({ state: 'skipped' });
  expect(worse.of('temporal')).toMatchObject({ state: 'wrong', error: 'TemporalUnavailableError' });
  // For people, each remedy follows what is wrong.
  const { code, out } = await cli(['doctor', '--settings', file]);
  expect(code).toBe(1);
  expect(out).toMatch(/^WRONG +API key: .*401.*\n +→ /m);
  expect(out).not.toContain('wrong-key');
});
