import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { Context } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../../activities/contract.ts';
import { toFailure } from '../../../activities/failures.ts';
import {
  ApiUnavailableError,
  CredentialsError,
  type ErrorDescription,
  KeyMissingError,
  PermissionError,
  SourceRegistry,
  UsageError,
  type WarehouseSource,
} from '../../../src/index.ts';
import { resolveKey } from '../../../src/settings/key.ts';
import { tables } from '../../../src/tables/index.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { createIncidentIoSource, incidentIoSource } from '../../../src/plugin/source.ts';
import { activities, running } from '../../helpers/activities.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const temporal = await connectToTestServer();

let sandbox: Sandbox;
let source: WarehouseSource;
beforeAll(async () => {
  sandbox = await startSandbox({ limits: 'off' });
  source = createIncidentIoSource({ baseUrl: sandbox.url });
});
afterAll(() => sandbox.stop());

const thrownBy = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

describe('validateCredentials', () => {
  const account = 'https://app.incident.io/sandbox';

  it('accepts a key that may read nothing yet, and says which scope it lacks for a table', async () => {
    const values = { api_key: sandbox.addKey({ scopes: ['severities.view'] }) };
    expect(await source.validateCredentials(values)).toEqual({ valid: true, account });
    expect(await source.validateCredentials(values, 'severities')).toEqual({ valid: true, account });
    expect(await source.validateCredentials(values, 'follow_ups')).toEqual({
      valid: false,
      message: expect.stringContaining('403') as string,
      advice: expect.stringContaining('actions.view') as string,
    });
  });

  it.each([
    ['a wrong key', { api_key: 'no-such-key' }, /401/],
    ['no key', {}, /missing/],
    ['an empty one', { api_key: ' ' }, /missing/],
    ['a key with a line break in it', { api_key: 'inc_secret\nhalf' }, /characters/],
  ])('refuses %s and says what to do, without repeating it', async (_, values, message) => {
    const check = await source.validateCredentials(values);
    expect(check).toEqual({
      valid: false,
      message: expect.stringMatching(message) as string,
      advice: expect.stringContaining('Settings → API keys') as string,
    });
    expect(JSON.stringify(check)).not.toMatch(/no-such-key|inc_secret/);
  });

  it('throws if nothing was learned about the key', async () => {
    const mend = sandbox.fault({ fault: { kind: 'error', status: 503 } });
    try {
      for (const table of [undefined, 'alerts']) {
        const error = await thrownBy(() => source.validateCredentials({ api_key: sandbox.key }, table));
        expect(error).toBeInstanceOf(ApiUnavailableError);
      }
    } finally {
      mend();
    }
  });

  it('throws for a table that does not exist, before anything is sent', async () => {
    const before = sandbox.requests.length;
    const error = await thrownBy(() => source.validateCredentials({ api_key: sandbox.key }, 'incident'));
    expect(error).toMatchObject({
      name: 'UsageError',
      advice: expect.stringContaining('incidents') as string,
    });
    expect(sandbox.requests).toHaveLength(before);
  });
});

it('returns the permission for every table, and throws for a wrong key', async () => {
  const values = { api_key: sandbox.addKey({ scopes: ['users.view'] }) };
  const permissions = await source.getTablePermissions(values);
  const readable = tables.filter(({ scope }) => scope === undefined || scope === 'users.view');
  expect(permissions.filter(({ allowed }) => allowed).map(({ table }) => table)).toEqual(
    readable.map(({ name }) => name),
  );
  expect(permissions.map(({ table }) => table)).toEqual(source.getTables().map(({ name }) => name));
  const error = await thrownBy(() => source.getTablePermissions({ api_key: 'wrong' }));
  expect(error).toBeInstanceOf(CredentialsError);
});

it('refuses an address that would expose the key', () => {
  expect(() => createIncidentIoSource({ baseUrl: 'http://example.com' })).toThrow(UsageError);
});

describe('the start of a run', () => {
  const target = { apiKey: { vault: 'c1' }, destination: 'warehouse' };

  it('has one workflow id per table and destination, however the folder is written', () => {
    const start = source.syncTable(target, { table: 'alerts' });
    const again = source.syncTable(
      { ...target, destination: `${process.cwd()}/warehouse/` },
      { table: 'alerts' },
    );
    expect([again.workflowId, again.taskQueue]).toEqual([start.workflowId, start.taskQueue]);
    const { args } = source.syncSource(target, [{ table: 'alerts' }, { table: 'users' }]);
    expect(args[0].tables[0]).toEqual({ workflowId: start.workflowId, input: start.args[0] });
    expect(args[0].tables[1]!.workflowId).not.toBe(start.workflowId);
  });

  it.each([
    [{ table: 'alert' }, /alerts/],
    [{ table: 'severities', syncMethod: 'incremental' as const }, /full_refresh/],
    [{ table: 'incidents', incrementalField: 'due_at' as 'updated_at' }, /updated_at or created_at/],
    [{ table: 'incidents', fullReadEvery: 'weekly' as 'never' }, /7d .*never/],
  ])('is refused if %j does not fit, with what would', async (sync, advice) => {
    const error = await thrownBy(() => source.syncTable(target, sync));
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).advice).toMatch(advice);
  });
});

describe('describeError', () => {
  const target = { apiKey: { env: 'NONE' }, destination: `/nowhere/${unique('folder')}` };

  /** Starts a run the way the source says, with these activities, and describes how it fails. */
  async function failed(
    made: Partial<Activities>,
    start: Pick<ReturnType<WarehouseSource['syncTable' | 'syncSource']>, 'workflowType' | 'args'>,
    then: (handle: WorkflowHandle) => Promise<unknown> = async () => undefined,
  ): Promise<ErrorDescription> {
    return running(temporal, activities(made), async (taskQueue) => {
      const options = { ...start, taskQueue, workflowId: unique('run') };
      const handle = await temporal.client.workflow.start(start.workflowType, options);
      await then(handle);
      return source.describeError(await thrownBy(() => handle.result()));
    });
  }

  const refused = new PermissionError('GET /v2/alerts: 403', 'alerts.view', {});
  const throwing = (error: unknown) => async () => {
    throw error;
  };

  it('says whether a person has to act or the next run may succeed', async () => {
    const start = source.syncTable(target, { table: 'alerts' });
    expect(await failed({ planSync: throwing(toFailure(refused)) }, start)).toEqual({
      error: 'PermissionError',
      message: 'GET /v2/alerts: 403',
      advice: refused.advice,
      retry: 'never',
    });
    const gone = new ApiUnavailableError('GET /v2/alerts: 503');
    expect(
      await failed({ planSync: throwing(toFailure(gone, 'No progress for 60 minutes')) }, start),
    ).toEqual({
      error: 'ApiUnavailableError',
      message: 'No progress for 60 minutes: GET /v2/alerts: 503',
      advice: gone.advice,
      retry: 'later',
    });
  });

  it('tells a cancelled or terminated run from a failed one', async () => {
    const start = source.syncTable(target, { table: 'alerts' });
    // Runs until it is stopped.
    const extractBatch = async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 20);
      return context.cancelled.finally(() => clearInterval(beat));
    };
    const cancelled = await failed({ extractBatch }, start, (handle) => handle.cancel());
    expect(cancelled).toMatchObject({ error: 'CancelledFailure', retry: 'later' });
    const terminated = await failed({ extractBatch }, start, (handle) => handle.terminate());
    expect(terminated).toMatchObject({ error: 'TerminatedFailure', retry: 'later' });
  });

  it('names each failed table of an import', async () => {
    const start = source.syncSource(target, [{ table: 'alerts' }, { table: 'users' }]);
    const others = activities({});
    const made: Partial<Activities> = {
      planSync: (asked) =>
        asked.run.table === 'alerts' ? throwing(toFailure(refused))() : others.planSync(asked),
    };
    expect(await failed(made, start)).toEqual({
      error: 'TablesFailedError',
      message: '1 of 2 tables failed: alerts\nalerts: GET /v2/alerts: 403',
      advice: `alerts: ${refused.advice}`,
      retry: 'later',
    });
  });

  it('describes what a function of the source throws', () => {
    expect(source.describeError(refused)).toEqual({
      error: 'PermissionError',
      message: refused.message,
      advice: refused.advice,
      retry: 'never',
    });
    expect(source.describeError(new TypeError('x is not a function'))).toMatchObject({
      error: 'TypeError',
      message: 'x is not a function',
    });
  });
});

describe('a vault', () => {
  it('returns the key by its id, and is asked again each time', async () => {
    const keys = new Map([['c1', ' inc_one\n']]);
    const vault = async (id: string) => keys.get(id);
    expect(await resolveKey({ vault: 'c1' }, vault)).toBe('inc_one');
    keys.set('c1', 'inc_two');
    expect(await resolveKey({ vault: 'c1' }, vault)).toBe('inc_two');
  });

  it.each([
    ['holds no such key', async () => undefined],
    ['cannot be reached', throwingVault],
    ['is missing on this worker', undefined],
  ])('that %s is retried, and named without its secrets', async (_, vault) => {
    const error = await thrownBy(() => resolveKey({ vault: 'c1' }, vault));
    expect(error).toBeInstanceOf(KeyMissingError);
    const failure = toFailure(error);
    expect(failure.nonRetryable).toBe(false);
    expect(failure.message).toContain('vault entry c1');
    expect(JSON.stringify(failure)).not.toContain('hvs.token');
  });

  async function throwingVault(): Promise<never> {
    throw new Error('GET https://vault/?token=hvs.token: 503');
  }
});

describe('SourceRegistry', () => {
  it('returns what was registered, and suggests the nearest name for what was not', () => {
    const registry = new SourceRegistry();
    expect(() => registry.get('incident_io')).toThrow(UsageError);
    registry.register(incidentIoSource);
    registry.register({ ...incidentIoSource, name: 'pager' });
    expect(registry.get('incident_io')).toBe(incidentIoSource);
    expect(registry.list().map(({ name }) => name)).toEqual(['incident_io', 'pager']);
    expect(() => registry.register({ ...incidentIoSource })).toThrow(/"incident_io"/);
    const unknown = expect.objectContaining({
      name: 'UsageError',
      advice: expect.stringContaining('Did you mean incident_io?') as string,
    }) as Error;
    expect(() => registry.get('incidentio')).toThrow(unknown);
  });
});

it('is imported without Temporal’s worker and DuckDB, whose native parts take time and threads', async () => {
  const script = `
    await import(${JSON.stringify(new URL('../../../src/index.ts', import.meta.url).href)});
    process.report.excludeNetwork = true;
    const natives = process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node'));
    // Without the path of this checkout, which may hold any word.
    console.log(natives.map((name) => name.split('/node_modules/').at(-1)).join());
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    fileURLToPath(new URL('../../helpers/run-typescript.mjs', import.meta.url)),
    '--input-type=module',
    '--eval',
    script,
  ]);
  // The compiler that lets Node run these sources also has a native part.
  expect(stdout).not.toMatch(/temporal|core-bridge|duckdb/);
});
