import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  DestinationCredentialsError,
  DestinationError,
  DestinationPermissionError,
  DestinationUnavailableError,
  SourceError,
} from '../../../src/errors.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { openDestination } from '../../../src/warehouse/open-warehouse.ts';
import { canServeS3, destinationAt, serveBucket, type TestBucket } from '../../helpers/bucket.ts';
import { cli } from '../../helpers/cli.ts';
import { setEnv } from '../../helpers/environment.ts';
import { readWithDeltaRs, readWithPolars } from '../../helpers/delta-reader.ts';
import { type Fault, type S3Request, standInFor } from '../../helpers/s3-stand-in.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';
import { committed, openPlace, readRows, stage, state, syncRun, things } from '../../helpers/warehouse.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe.skipIf(!canServeS3())('a bucket', async () => {
  const { gateway, folder } = canServeS3() ? await serveBucket() : ({} as TestBucket);

  /** A destination whose answers come through a stand-in. */
  async function behind(fault: (request: S3Request) => Fault | undefined, root?: string): Promise<string> {
    const place = root ?? (await mkdtemp(join(folder, 'behind-')));
    const url = await standInFor(gateway.url, fault);
    return destinationAt(place).replace(gateway.url, url);
  }

  async function errorOf(work: Promise<unknown>): Promise<SourceError> {
    const error: unknown = await work.catch((error: unknown) => error);
    if (!(error instanceof SourceError)) throw new Error('This is not one of our errors.', { cause: error });
    expect(`${error.message} ${error.advice}`).not.toContain('secret');
    return error;
  }

  it('takes commits from several processes at once, and each lands exactly once', async () => {
    const place = await openPlace();
    const script = here('../../helpers/commit-many.ts');
    const loader = here('../../helpers/run-typescript.mjs');
    const names = ['one', 'two', 'three'];
    const rows = 6;
    await Promise.all(
      names.map((name) =>
        promisify(execFile)(process.execPath, [
          '--import',
          loader,
          script,
          place.destination,
          name,
          `${rows}`,
        ]),
      ),
    );
    const expected = names
      .flatMap((name) => Array.from({ length: rows }, (_, row) => `${name}-${row}`))
      .sort();
    const read = await readWithDeltaRs(place.folderOf(things));
    expect(read.rows.map(({ id }) => id)).toEqual(expected);
    expect(read.version).toBe(expected.length - 1);
    expect((await readWithPolars(place.folderOf(things))).rows.map(({ id }) => id)).toEqual(expected);
    expect((await readRows(place, things)).map(({ id }) => id)).toEqual(expected);
    // The files that the losers of a race had uploaded are deleted again.
    const files = (await readdir(place.folderOf(things))).filter((name) => name.endsWith('.parquet'));
    expect(files).toHaveLength(expected.length);
  });

  it('lets one machine commit what another has staged', async () => {
    const place = await openPlace();
    const elsewhere = await temporaryFolder();
    const parts = await stage(place, things, 'run', [{ id: 'a' }]);
    setEnv({ TMPDIR: elsewhere });
    const other = await openDestination(place.destination);
    onTestFinished(() => other.close());
    const request = { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state } as const;
    expect(await other.commit(things, request)).toMatchObject({ status: 'committed', rows: 1 });
    expect((await readdir(elsewhere)).length).toBe(1);
    await other.discardStaged(things, 'run');
    expect(await place.store.list('_staging/')).toEqual([]);
    expect((await readWithPolars(place.folderOf(things))).rows).toMatchObject([{ id: 'a' }]);
  });

  it('is filled by a sync and read by a query, which downloads only the tables it names', async () => {
    quietRuntime();
    const temporal = await connectToTestServer();
    const sizes = { incidents: 700, alerts: 900, users: 20 };
    const sandbox = await startSandbox({ limits: 'off', sizes });
    onTestFinished(() => sandbox.stop());
    const root = join(folder, 'synced');
    await mkdir(root);
    const tables = ['incidents', 'alerts', 'users'] as const;
    for (const name of ['first', 'changed']) {
      sandbox.change('incidents', sandbox.idAt('incidents', 3), { name });
      const outcomes = await sync(temporal, sandbox, destinationAt(root), { tables, batchRows: 250 });
      expect(outcomes.filter(({ status }) => status !== 'synced')).toEqual([]);
      await expectTruth(sandbox, root, tables);
    }
    // Only a query that downloads alerts notices that its files are gone.
    for (const name of await readdir(join(root, 'alerts'))) {
      if (name.endsWith('.parquet')) await rm(join(root, 'alerts', name));
    }
    const hidden = await cli(['query', `FROM query_table('al' || 'erts')`, '--from', destinationAt(root)]);
    expect(hidden.err).toMatch(/^error: .*\balerts literally/);
    const counting = `SELECT count(*)::INTEGER AS rows FROM incidents JOIN users ON true`;
    const { out } = await cli(['query', counting, '--from', destinationAt(root), '--json']);
    expect(JSON.parse(out)).toEqual([{ rows: 700 * 20 }]);
    const missing = await cli(['query', 'FROM alerts', '--from', destinationAt(root)]);
    expect(missing.err).toMatch(/^error: s3:\/\/tables\/synced\/alerts\/\S+\.parquet/);
  });

  describe('whose answers get lost', () => {
    const isVersion = ({ method, path }: S3Request) => method === 'PUT' && /_delta_log\/0+\.json/.test(path);

    it('once: the commit recognizes its own file', async () => {
      const place = await openPlace();
      let lost = 0;
      const warehouse = await openDestination(
        await behind(
          (request) => (isVersion(request) && lost++ === 0 ? 'lose the answer' : undefined),
          place.root,
        ),
      );
      onTestFinished(() => warehouse.close());
      const parts = await stage(place, things, 'run', [{ id: 'a' }]);
      const request = { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state } as const;
      expect(await warehouse.commit(things, request)).toMatchObject({ status: 'committed', inserted: 1 });
      expect(lost).toBeGreaterThan(1);
      expect((await readWithDeltaRs(place.folderOf(things))).rows).toMatchObject([{ id: 'a' }]);
    });

    it('every time: the next attempt finds the commit of the first, with its files', async () => {
      const place = await openPlace();
      let loses = true;
      const warehouse = await openDestination(
        await behind((request) => (loses && isVersion(request) ? 'lose the answer' : undefined), place.root),
      );
      onTestFinished(() => warehouse.close());
      const parts = await stage(place, things, 'run', [{ id: 'a' }]);
      const request = { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state } as const;
      expect(await errorOf(warehouse.commit(things, request))).toBeInstanceOf(DestinationUnavailableError);
      loses = false;
      expect(await warehouse.commit(things, request)).toMatchObject({
        status: 'already_committed',
        version: 0,
      });
      expect((await readWithDeltaRs(place.folderOf(things))).rows).toMatchObject([{ id: 'a' }]);
    });
  });

  it('that asks to slow down, ends an answer halfway or has a conflict is asked again', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'x' }]]);
    const faults: [name: RegExp, method: string, fault: Fault][] = [
      [/\.parquet/, 'PUT', { status: 503, code: 'SlowDown' }],
      [/\.parquet/, 'GET', 'cut the body'],
      [/_delta_log\/.*1\.json/, 'PUT', { status: 409, code: 'ConditionalRequestConflict' }],
    ];
    const destination = await behind(({ method, path }) => {
      const next = faults.findIndex(([name, of]) => of === method && name.test(path));
      return next < 0 ? undefined : faults.splice(next, 1)[0]![2];
    }, place.root);
    const warehouse = await openDestination(destination);
    onTestFinished(() => warehouse.close());
    expect(await syncRun({ ...place, warehouse }, things, [[{ id: 'a', name: 'y' }]])).toMatchObject({
      status: 'committed',
      updated: 1,
    });
    expect(faults).toEqual([]);
    expect(await readRows(place, things)).toMatchObject([{ id: 'a', name: 'y' }]);
  });

  it.each([
    [{ status: 400, code: 'ExpiredToken' }, DestinationCredentialsError, 'later', 'ExpiredToken, 400'],
    [
      { status: 403, code: 'InvalidAccessKeyId' },
      DestinationPermissionError,
      'never',
      'InvalidAccessKeyId, 403',
    ],
    [
      { status: 403, code: 'AccessDenied' },
      DestinationPermissionError,
      'never',
      /s3:PutObject on s3:\/\/tables\/behind-\w+\/a\/x \(AccessDenied, 403\)/,
    ],
    [
      { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
      DestinationError,
      'never',
      'eu-west-3',
    ],
    [{ status: 500, code: 'InternalError' }, DestinationUnavailableError, 'later', 'InternalError, 500'],
    [
      { status: 409, code: 'ExistingObjectIsDirectory' },
      DestinationUnavailableError,
      'later',
      'ExistingObjectIsDirectory, 409',
    ],
    [{ status: 400, code: 'InvalidRequest' }, DestinationError, 'never', /s3:PutObject.*InvalidRequest, 400/],
    [{ status: 429, page: 'secret' }, DestinationUnavailableError, 'later', 'answered with 429'],
    ['lose the answer', DestinationUnavailableError, 'later', 'ECONNRESET'],
  ] as const)('that answers %j is an error of its own kind', async (fault, kind, retry, facts) => {
    const store = await openStore(await behind(() => fault));
    const error = await errorOf(store.write('a/x', Buffer.from('x')));
    expect(error).toBeInstanceOf(kind);
    expect(error.retry).toBe(retry);
    expect(error.message).toMatch(facts);
  });

  it('that does not exist, or for which credentials or a region are missing, is an error of its own kind', async () => {
    const missing = await openStore(`s3://missing/x?endpoint=${gateway.url}`);
    expect((await errorOf(missing.list(''))).message).toMatch(/bucket missing\b/);
    setEnv({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    const store = await openStore(destinationAt(folder));
    expect(await errorOf(store.list(''))).toBeInstanceOf(DestinationCredentialsError);
    expect((await errorOf((await openStore('s3://aws/x')).list(''))).message).toContain('region');
  });

  it('is asked with renewed credentials after the old ones have expired', async () => {
    setEnv({ AWS_ACCESS_KEY_ID: 'old' });
    const expired = { status: 400, code: 'ExpiredToken' };
    const store = await openStore(await behind(({ keyId }) => (keyId === 'old' ? expired : undefined)));
    expect(await errorOf(store.list(''))).toBeInstanceOf(DestinationCredentialsError);
    setEnv({ AWS_ACCESS_KEY_ID: 'test' });
    expect(await store.list('')).toEqual([]);
  });
});
