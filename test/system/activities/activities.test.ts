import { access, readdir, writeFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Fault,
  type Sandbox,
  type SandboxOptions,
  type SandboxRequest,
  startSandbox,
} from '../../../src/sandbox/sandbox.ts';
import { users } from '../../../src/tables/users.ts';
import type { RunOutcome } from '../../../src/connections/runs.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { sync, type SyncOptions, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';
import { committed, openPlace, state } from '../../helpers/warehouse.ts';

quietRuntime();
const temporal = await connectToTestServer();

type World = {
  readonly sandbox: Sandbox;
  readonly destination: string;
  /** Syncs a table, `alerts` where none is named. */
  readonly run: (options?: SyncOptions & { readonly table?: string }) => Promise<RunOutcome>;
};

/** Five pages of alerts, one of incidents. */
async function worldOf(options: SandboxOptions = {}): Promise<World> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 100, incident_updates: 0, follow_ups: 0, alerts: 220, escalations: 0, users: 5 },
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  const destination = await temporaryFolder();
  const run: World['run'] = async ({ table = 'alerts', ...more } = {}) =>
    (await sync(temporal, sandbox, destination, { tables: [table], ...more }))[0]!;
  return { sandbox, destination, run };
}

function resultOf(outcome: RunOutcome) {
  if (outcome.status !== 'synced') throw new Error(`not synced: ${JSON.stringify(outcome)}`);
  return outcome.result;
}

/** Expects that the run failed in this way, left nothing staged and made no table. */
async function expectFailed(
  { destination, sandbox }: World,
  outcome: RunOutcome,
  expected: { readonly error: string; readonly message: string; readonly advice: string },
): Promise<void> {
  expect(outcome).toMatchObject({
    status: 'failed',
    error: expected.error,
    message: expect.stringContaining(expected.message) as string,
    advice: expect.stringContaining(expected.advice) as string,
  });
  expect(JSON.stringify(outcome)).not.toContain(sandbox.key);
  expect(await stagedIn(destination)).toEqual([]);
  await expect(access(join(destination, outcome.table))).rejects.toThrow('ENOENT');
}

async function stagedIn(destination: string): Promise<string[]> {
  const entries = await readdir(join(destination, '_staging'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const hasCursor = ({ params }: SandboxRequest) => params.has('after');
const isIdentity = ({ path }: SandboxRequest) => path === '/v1/identity';
const refuses = (status: number): Fault => ({ kind: 'error', status });

describe('a cursor', () => {
  it.each<[string, Fault, string]>([
    ['comes a second time', { kind: 'repeat-cursor' }, 'a cursor came a second time'],
    ['is unknown (404)', refuses(404), 'GET /v2/alerts: 404'],
    ['is refused (422)', refuses(422), 'GET /v2/alerts: 422'],
  ])('that %s has its window read anew, three times and no more', async (_, fault, reason) => {
    const world = await worldOf();
    const { sandbox, destination, run } = world;
    const mend = sandbox.fault({ fault, table: 'alerts', when: hasCursor });
    await expectFailed(world, await run(), {
      error: 'CursorRejectedError',
      message: `alerts: The cursor failed 4 times; the last time: ${reason}`,
      advice: 'Sync the table again',
    });
    mend();

    sandbox.fault({ fault, table: 'alerts', when: hasCursor, times: 3 });
    const { notes, read } = resultOf(await run());
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes) expect(note).toContain(`Read again from the start: ${reason}`);
    expect(read.rows).toBeGreaterThan(220);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that leads back to an earlier batch does not go round for ever', async () => {
    const { sandbox, destination, run } = await worldOf();
    const first = sandbox.idAt('alerts', 49);
    const third = sandbox.idAt('alerts', 149);
    sandbox.fault({
      fault: { kind: 'repeat-cursor', after: first },
      table: 'alerts',
      when: ({ params }) => params.get('after') === third,
      times: 1,
    });
    const { notes, read } = resultOf(await run({ batchRows: 50 }));
    expect(read.batches).toBeGreaterThanOrEqual(5);
    expect(notes).toEqual(['Read again from the start: a cursor came a second time']);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that is no text fails the table, for it is not the end', async () => {
    const world = await worldOf();
    const page = { alerts: [{ id: 'a' }], pagination_meta: { after: 5 } };
    world.sandbox.fault({ fault: { kind: 'body', body: page }, table: 'alerts' });
    await expectFailed(world, await world.run(), {
      error: 'UnexpectedResponseError',
      message: 'GET /v2/alerts: a cursor that is no text',
      advice: 'update incident-io-source',
    });
  });
});

describe('a key', () => {
  it('that loses its scope in mid-read fails the table at once, and names the scope', async () => {
    const world = await worldOf();
    const { sandbox, run } = world;
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) sandbox.setScopes(sandbox.key, ['incidents.view']);
        return true;
      },
    });
    await expectFailed(world, await run(), {
      error: 'PermissionError',
      message: 'GET /v2/alerts: 403 missing a required scope: alerts.view',
      advice: 'Grant the API key the scope alerts.view',
    });
    expect(sandbox.requests.filter(({ status }) => status === 403)).toHaveLength(1);
  });

  it('that is revoked in mid-run fails the table at once, and the table stays as it was', async () => {
    const { sandbox, destination, run } = await worldOf();
    resultOf(await run());
    const before = await readWithDeltaRs(join(destination, 'alerts'));
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) sandbox.revokeKey(sandbox.key);
        return true;
      },
    });
    // Only a full read has a second page, at which the key is revoked.
    expect(await run({ batchRows: 50, method: { syncMethod: 'full_refresh' } })).toMatchObject({
      status: 'failed',
      error: 'CredentialsError',
      message: expect.stringContaining('401') as string,
      advice: expect.stringContaining('Settings → API keys') as string,
    });
    expect(sandbox.requests.filter(({ status }) => status === 401)).toHaveLength(1);
    expect(await stagedIn(destination)).toEqual([]);
    expect(await readWithDeltaRs(join(destination, 'alerts'))).toEqual(before);
  });

  it('that is replaced in mid-run by one of another account fails the table before a row of it is read', async () => {
    const world = await worldOf();
    const { sandbox, run } = world;
    const other = sandbox.addKey({ identity: { dashboard_url: 'https://app.incident.io/other' } });
    const keyFile = join(await temporaryFolder(), 'key');
    await writeFile(keyFile, sandbox.key);
    sandbox.fault({
      fault: { kind: 'without', headers: 'rate-limit' },
      table: 'alerts',
      when: (request) => {
        if (hasCursor(request)) writeFileSync(keyFile, other);
        return true;
      },
    });
    await expectFailed(world, await run({ keyFile, batchRows: 100 }), {
      error: 'AccountMismatchError',
      message: `alerts: the key in file ${keyFile} belongs to https://app.incident.io/other, the run to https://app.incident.io/sandbox.`,
      advice: 'Use another destination',
    });
  });
});

describe('an API that is ill', () => {
  it('and stalls costs time, not rows', async () => {
    const { sandbox, destination, run } = await worldOf();
    sandbox.fault({ fault: { kind: 'stall' }, table: 'alerts', times: 1 });
    sandbox.fault({ fault: { kind: 'stall' }, table: 'alerts', when: hasCursor, times: 1 });
    const { notes } = resultOf(await run({ requestTimeoutMs: 300 }));
    expect(notes).toEqual([
      expect.stringMatching(
        /^GET \/v2\/alerts: no whole answer from 127\.0\.0\.1:\d+ \(nothing for 0\.3 s\)$/,
      ),
    ]);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('and answers HTML is tried again, and people see why', async () => {
    const { sandbox, destination, run } = await worldOf();
    const mend = sandbox.fault({ fault: { kind: 'html', status: 200 }, table: 'alerts' });
    const seen: string[] = [];
    const outcome = await run({
      onProgress: (progress) => {
        for (const { retrying } of progress) if (retrying) seen.push(retrying.message);
        if (seen.length > 0) mend();
      },
    });
    resultOf(outcome);
    expect(new Set(seen)).toEqual(new Set(['GET /v2/alerts: 200 with HTML']));
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it.each([429, 503])('and says with %i when to come again is not asked before', async (status) => {
    const { sandbox, destination, run } = await worldOf();
    sandbox.fault({ fault: { kind: 'error', status, retryAfterSeconds: 3 }, table: 'alerts', times: 1 });
    resultOf(await run());
    const [refused, next] = sandbox.requests.filter(({ table }) => table === 'alerts');
    expect(refused?.status).toBe(status);
    expect(next!.at - refused!.at).toBeGreaterThanOrEqual(3_000);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('for as long as a run may take without progress fails the table, and says for how long', async () => {
    const world = await worldOf();
    world.sandbox.fault({ fault: refuses(500), table: 'alerts' });
    const outcome = await world.run({ giveUpAfterMinutes: 0.02 });
    await expectFailed(world, outcome, {
      error: 'ApiUnavailableError',
      message: 'minutes: GET /v2/alerts: 500',
      advice: 'Check the network and the status page of incident.io',
    });
    expect(outcome).toHaveProperty('message', expect.stringMatching(/^No progress for 0\.[1-9] minutes: /));
  });

  it.each<[string, Fault, string, string]>([
    ['422 to a filter', refuses(422), 'FilterRejectedError', 'Use full_refresh for this table'],
    ['404 to the first page', refuses(404), 'UnexpectedResponseError', 'Check the base URL'],
    ['400', refuses(400), 'UnexpectedResponseError', 'Check the base URL'],
    [
      'with a redirect',
      { kind: 'redirect', location: 'http://127.0.0.1:1/' },
      'UnexpectedResponseError',
      'Check the base URL',
    ],
  ])('and answers %s fails the table at once', async (_, fault, error, advice) => {
    const world = await worldOf();
    world.sandbox.fault({ fault, table: 'alerts' });
    await expectFailed(world, await world.run(), { error, message: 'GET /v2/alerts: ', advice });
    expect(world.sandbox.requests.filter(({ table }) => table === 'alerts')).toHaveLength(1);
  });

  it.each([
    ['an object without the records', { other: [] }],
    ['no list of records', { alerts: { id: 'a' } }],
    ['a list of other things', { alerts: ['a', null] }],
    ['a list', []],
  ])('and answers %s fails the table at once', async (_, body) => {
    const world = await worldOf();
    world.sandbox.fault({ fault: { kind: 'body', body }, table: 'alerts' });
    await expectFailed(world, await world.run(), {
      error: 'UnexpectedResponseError',
      message: 'GET /v2/alerts: ',
      advice: 'Check the base URL',
    });
    expect(world.sandbox.requests.filter(({ table }) => table === 'alerts')).toHaveLength(1);
  });
});

describe('the watermark', () => {
  it('stays where it was while the API sends no Date, and the run says so', async () => {
    const { sandbox, destination, run } = await worldOf();
    const { watermark } = resultOf(await run({ table: 'incidents' }));
    expect(watermark).toBeGreaterThan(0);
    sandbox.change('incidents', sandbox.idAt('incidents', 3), { name: 'changed' });
    const mend = sandbox.fault({ fault: { kind: 'without', headers: 'date' } });
    const second = resultOf(await run({ table: 'incidents' }));
    expect(second).toMatchObject({ fullRead: false, watermark });
    expect(second.notes).toEqual([expect.stringContaining('no Date')]);
    await expectTruth(sandbox, destination, ['incidents']);
    mend();
    expect(resultOf(await run({ table: 'incidents' })).watermark).toBeGreaterThan(watermark!);
  });

  it('is none after a first sync without a Date, so the next one reads everything', async () => {
    const { sandbox, run } = await worldOf();
    const mend = sandbox.fault({ fault: { kind: 'without', headers: 'date' } });
    expect(resultOf(await run({ table: 'incidents' }))).not.toHaveProperty('watermark');
    mend();
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(true);
  });
});

describe('an identity that cannot be read', () => {
  const note = 'The identity of the key could not be read, so it was not compared.';

  it('leaves the stored one in an incremental run', async () => {
    const { sandbox, destination, run } = await worldOf();
    resultOf(await run({ table: 'incidents' }));
    const mend = sandbox.fault({ fault: refuses(403), when: isIdentity });
    const second = resultOf(await run({ table: 'incidents' }));
    expect(second).toMatchObject({ fullRead: false, notes: [note] });
    const { configuration } = await readWithDeltaRs(join(destination, 'incidents'));
    expect(configuration['incident_io.account']).toBe('https://app.incident.io/sandbox');
    mend();
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(false);
  });

  it('is stored as unknown by a full read, and the next run that can read one reads everything', async () => {
    const { sandbox, destination, run } = await worldOf();
    const mend = sandbox.fault({ fault: refuses(404), when: isIdentity });
    expect(resultOf(await run({ table: 'incidents' })).notes).toEqual([note]);
    const { configuration } = await readWithDeltaRs(join(destination, 'incidents'));
    expect(configuration['incident_io.account']).toBe('unknown');
    // Nothing is compared with nothing, so this one asks for changes.
    expect(resultOf(await run({ table: 'incidents' })).fullRead).toBe(false);
    mend();
    expect(resultOf(await run({ table: 'incidents' }))).toMatchObject({
      fullRead: true,
      reason: 'what the key may see changed',
    });
  });
});

describe('a status category the vendor adds', () => {
  async function withNewCategory(): Promise<World> {
    const world = await worldOf();
    const { sandbox } = world;
    const status = sandbox.create('incident_statuses', { category: 'postponed', name: 'Postponed' });
    sandbox.change('incidents', sandbox.idAt('incidents', 7), { incident_status: status });
    return world;
  }

  it('is asked for, and its incidents land', async () => {
    const { sandbox, destination, run } = await withNewCategory();
    resultOf(await run({ table: 'incidents' }));
    await expectTruth(sandbox, destination, ['incidents']);
    const { rows } = await readWithDeltaRs(join(destination, 'incidents'));
    const id = sandbox.idAt('incidents', 7);
    expect(rows.find((row) => row['id'] === id)).toMatchObject({ incident_status_category: 'postponed' });
  });

  it('is still asked for when the list of statuses cannot be read, and that costs no full read', async () => {
    const { sandbox, destination, run } = await withNewCategory();
    resultOf(await run({ table: 'incidents' }));
    sandbox.fault({ fault: refuses(403), table: 'incident_statuses' });
    sandbox.change('incidents', sandbox.idAt('incidents', 7), { name: 'changed' });
    const { fullRead, notes } = resultOf(await run({ table: 'incidents' }));
    expect(fullRead).toBe(false);
    expect(notes).toEqual([
      expect.stringContaining('Values of status_category[one_of] beyond the known ones could not be read'),
    ]);
    await expectTruth(sandbox, destination, ['incidents']);
  });
});

it('reads everything when the API counted other rows twice, and at most once a day', async () => {
  const day = 86_400_000;
  let ahead = 0;
  const { sandbox, destination, run } = await worldOf({ now: () => Date.now() + ahead });
  const runIncidents = async () => resultOf(await run({ table: 'incidents' }));
  await runIncidents();
  sandbox.remove('incidents', sandbox.idAt('incidents', 5));
  expect((await runIncidents()).fullRead).toBe(false);
  ahead = day / 2;
  expect((await runIncidents()).fullRead).toBe(false);
  // Two differences, but the last full read is less than a day ago.
  expect((await runIncidents()).fullRead).toBe(false);
  ahead = day + 60_000;
  expect(await runIncidents()).toMatchObject({
    fullRead: true,
    reason: expect.stringContaining('count differs') as string,
    changes: { dropped: 1 },
  });
  await expectTruth(sandbox, destination, ['incidents']);
  expect((await runIncidents()).fullRead).toBe(false);
});

it('keeps a table up behind the commit of a run', async () => {
  const sizes = { incidents: 0, incident_updates: 0, follow_ups: 0, alerts: 0, escalations: 0, users: 9 };
  const { sandbox, destination, run } = await worldOf({ sizes });
  const place = await openPlace(destination);
  for (let user = 0; user < 7; user += 1) {
    const row = { id: sandbox.idAt('users', user) };
    await committed(place, users, [[row]], { state: { ...state, account: 'unknown' } });
  }
  const { notes, version } = resultOf(await run({ table: 'users' }));
  expect([notes, version]).toEqual([[], 7]);
  // The eighth small file made one of them all.
  expect(await readWithDeltaRs(join(destination, 'users'))).toMatchObject({ files: 1, version: 8 });
  await expectTruth(sandbox, destination, ['users']);
});
