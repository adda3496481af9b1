import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  DestinationCredentialsError,
  DestinationError,
  DestinationPermissionError,
  DestinationUnavailableError,
  SourceError,
} from '../../../src/errors.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { withPackage } from '../../../src/warehouse/store/optional-package.ts';
import { probeStore } from '../../../src/warehouse/store/probe.ts';
import { azureVariables, setEnv } from '../../helpers/environment.ts';
import {
  type CloudFault,
  type CloudQuirks,
  type MemoryCloud,
  memoryAzure,
  memoryGcs,
} from '../../helpers/memory-clouds.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const bytes = (text: string) => Buffer.from(text);

async function errorOf(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.catch((error: unknown) => error);
  if (!(error instanceof SourceError)) throw new Error('This is not one of our errors.', { cause: error });
  expect(`${error.message} ${error.advice}`).not.toContain('secret');
  return error;
}

/** Lets the waits of libraries pass a hundred times as fast as they do. */
async function hastened<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const clock = setInterval(() => vi.advanceTimersByTime(200), 2);
  try {
    return await work();
  } finally {
    clearInterval(clock);
    vi.useRealTimers();
  }
}

const clouds: readonly (readonly [string, (quirks?: CloudQuirks) => Promise<MemoryCloud>])[] = [
  ['Google Cloud Storage', memoryGcs],
  ['Azure Storage', memoryAzure],
];

describe.each(clouds)('%s', (_, serveCloud) => {
  async function opened(quirks: CloudQuirks = {}) {
    setEnv(azureVariables);
    const cloud = await serveCloud(quirks);
    return { ...cloud, store: await openStore(cloud.destination) };
  }

  /** A store whose first matching request gets a faulty answer. */
  function faultOnce(fault: CloudFault, method: RegExp, name: RegExp) {
    let left = 1;
    return opened({
      fault: (request) =>
        method.test(request.method) && name.test(request.name) && left-- > 0 ? fault : undefined,
    });
  }

  it('is accepted by the probe, which leaves nothing in it', async () => {
    const { store, destination, objects } = await opened();
    await probeStore(store, destination);
    expect([...objects.keys()]).toEqual([]);
  });

  it.each([
    ['ignored', /second writer.*\b8 of 8 writers/],
    ['raced', /second writer.*\b[2-8] of 8 writers/],
  ] as const)('whose condition is %s is refused by the probe', async (condition, problem) => {
    const { store, destination } = await opened({ condition });
    const error = await errorOf(probeStore(store, destination));
    expect(error).toBeInstanceOf(DestinationError);
    expect(error.message).toMatch(problem);
  });

  it('lists in order, after the given name, and uploads files of several parts', async () => {
    const { store } = await opened();
    for (const key of ['a/10', 'a/2', 'b/é 1%']) await store.write(key, bytes(key));
    expect((await store.list('a/', { after: 'a/10' })).map(({ key }) => key)).toEqual(['a/2']);
    expect((await store.list('')).map(({ key }) => key)).toEqual(['a/10', 'a/2', 'b/é 1%']);
    expect(await store.folders()).toEqual(['a', 'b']);
    const large = Buffer.alloc(17 * 2 ** 20, 'large');
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, large);
    expect(await store.upload('large', file)).toBe(large.byteLength);
    expect(large.equals((await store.read('large'))!)).toBe(true);
    await store.delete(['large', 'none']);
    expect(await store.read('large')).toBeUndefined();
  });

  it('whose answer to a conditional write is lost recognizes its own object', async () => {
    const { store, requests } = await faultOnce('lose the answer', /^(POST|PUT)$/, /log/);
    expect(await hastened(() => store.writeIfAbsent('log/1', bytes('own')))).toBe(true);
    // The write itself, its repetition, and the reading of what is there.
    expect(requests.filter(({ name }) => name.endsWith('log/1')).length).toBeGreaterThan(2);
    expect(await store.writeIfAbsent('log/1', bytes('other'))).toBe(false);
  });

  it('whose answer ends halfway is read again', async () => {
    const { store } = await faultOnce('cut the body', /GET/, /x$/);
    await store.write('x', Buffer.alloc(100_000, 'x'));
    // Google's library does not notice that the connection has ended.
    expect((await hastened(() => store.read('x')))?.byteLength).toBe(100_000);
  });

  it('that fails for a while is asked again, and then reported as unavailable', async () => {
    const page = { status: 503, page: 'secret' };
    let refused = 0;
    const passing = await opened({ fault: () => (refused++ === 0 ? page : undefined) });
    await hastened(() => passing.store.write('x', bytes('x')));
    const { store } = await opened({ fault: () => page });
    const error = await hastened(() => errorOf(store.list('')));
    expect(error).toBeInstanceOf(DestinationUnavailableError);
    expect(error.message).toContain('503');
  });

  it.each([
    [404, 'secret'],
    [403, '<html>secret</html>'],
  ])('is not confused with a proxy that answers every request with %d and %j', async (status, page) => {
    const { store } = await opened({ fault: () => ({ status, page }) });
    expect((await errorOf(store.read('x'))).constructor).toBe(DestinationError);
  });

  it.each([
    [404, 'secret'],
    [403, '<html>secret</html>'],
    [200, 'secret'],
    [200, '{}'],
  ])('is not confused with a proxy that answers a listing with %d and %j', async (status, page) => {
    const { store } = await opened({ fault: () => ({ status, page }) });
    const error = await errorOf(store.list(''));
    // Not a subclass, such as an error about permissions.
    expect(error.constructor).toBe(DestinationError);
    expect(error.retry).toBe('never');
  });
});

describe('an answer with a code is an error of its own kind:', () => {
  const cases: readonly (readonly [
    (quirks: CloudQuirks) => Promise<MemoryCloud>,
    number,
    string,
    abstract new (...given: never[]) => SourceError,
    RegExp,
  ])[] = [
    [
      memoryGcs,
      403,
      'forbidden',
      DestinationPermissionError,
      /storage\.objects\.create on gs:\/\/tables\/t\/x \(forbidden, 403\)/,
    ],
    [memoryGcs, 401, 'authError', DestinationCredentialsError, /authError, 401/],
    [memoryGcs, 404, 'notFound', DestinationError, /bucket tables/],
    [memoryGcs, 400, 'invalid', DestinationError, /invalid, 400/],
    [
      memoryAzure,
      403,
      'AuthorizationPermissionMismatch',
      DestinationPermissionError,
      /blobs\/write on abfss:\/\/tables@acme\.dfs\.core\.windows\.net\/t\/x \(AuthorizationPermissionMismatch, 403\)/,
    ],
    [
      memoryAzure,
      403,
      'AuthenticationFailed',
      DestinationPermissionError,
      /does not accept.*AuthenticationFailed, 403/,
    ],
    [
      memoryAzure,
      401,
      'InvalidAuthenticationInfo',
      DestinationCredentialsError,
      /InvalidAuthenticationInfo, 401/,
    ],
    [memoryAzure, 404, 'ContainerNotFound', DestinationError, /container tables .*\bacme\b/],
    [memoryAzure, 400, 'InvalidHeaderValue', DestinationError, /InvalidHeaderValue, 400/],
  ];
  it.each(cases)('%o %d %s', async (serveCloud, status, code, kind, facts) => {
    setEnv(azureVariables);
    const { destination } = await serveCloud({ fault: () => ({ status, code }) });
    const error = await errorOf((await openStore(destination)).write('x', bytes('x')));
    expect(error.constructor).toBe(kind);
    expect(error.message).toMatch(facts);
  });

  it.each([
    [memoryGcs, 'invalid', /ifGenerationMatch \(invalid, 400\)/],
    [memoryAzure, 'InvalidHeaderValue', /If-None-Match \(InvalidHeaderValue, 400\)/],
  ] as const)('%o refuses the condition of a write', async (serveCloud, code, facts) => {
    setEnv(azureVariables);
    const { destination } = await serveCloud({ fault: () => ({ status: 400, code }) });
    const error = await errorOf((await openStore(destination)).writeIfAbsent('x', bytes('x')));
    expect(error.constructor).toBe(DestinationError);
    expect(error.message).toMatch(facts);
  });
});

it('an object that another writer creates while the product asks Google about it counts as missing', async () => {
  const { destination, objects } = await memoryGcs({
    fault: ({ query }) =>
      query.get('alt') === 'media' ? { status: 404, page: 'No such object' } : undefined,
  });
  objects.set('t/x', bytes('x'));
  expect(await (await openStore(destination)).read('x')).toBeUndefined();
});

describe('credentials', () => {
  it('of Google that cannot be read are an error that can be retried, and quotes no file', async () => {
    const key = join(await temporaryFolder(), 'secret.json');
    await writeFile(key, '{"type":"service_account","private_key":"secret","client_email":"a@b"}');
    for (const file of [key, '/nowhere/secret.json']) {
      setEnv({ GOOGLE_APPLICATION_CREDENTIALS: file, STORAGE_EMULATOR_HOST: undefined });
      const error = await errorOf((await openStore('gs://tables/t')).list(''));
      expect(error).toBeInstanceOf(DestinationCredentialsError);
    }
  });

  it('never go to an endpoint without TLS', async () => {
    setEnv({ GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/secret.json' });
    const { destination, requests } = await memoryGcs();
    expect(await (await openStore(destination)).list('')).toEqual([]);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([
    ['secret', /AZURE_STORAGE_CONNECTION_STRING is not/],
    [
      'DefaultEndpointsProtocol=https;AccountName=other;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net',
      /account other\b.*\bacme\b/,
    ],
  ])('of Azure in a connection string that does not fit are an error', async (connectionString, facts) => {
    setEnv({ ...azureVariables, AZURE_STORAGE_CONNECTION_STRING: connectionString });
    const error = await errorOf((await openStore('az://acme/tables/t')).list(''));
    expect(error).toBeInstanceOf(DestinationError);
    expect(error.message).toMatch(facts);
  });

  it('of Azure are found as a connection string, a key or a signature', async () => {
    const { destination, requests } = await memoryAzure();
    const endpoint = destination.split('=')[1]!;
    const ways = [
      {
        AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=c2VjcmV0;BlobEndpoint=${endpoint}/acme;`,
      },
      { AZURE_STORAGE_ACCOUNT_KEY: 'c2VjcmV0' },
      { AZURE_STORAGE_SAS_TOKEN: '?sv=2024-01-01&sig=c2VjcmV0' },
    ];
    for (const way of ways) {
      setEnv({ ...azureVariables, AZURE_STORAGE_ACCOUNT_KEY: undefined, ...way });
      await (await openStore(destination)).list('');
    }
    expect(
      requests.map(({ headers, query }) => headers.authorization?.split(':')[0] ?? query.get('sig')),
    ).toEqual(['SharedKey acme', 'SharedKey acme', 'c2VjcmV0']);
  });
});

it('a package that is not installed is an error that names it', async () => {
  const name: string = 'not-installed';
  const load = (): Promise<unknown> => import(name);
  const error = await errorOf(withPackage('a cloud', 'not-installed', load));
  expect(error).toBeInstanceOf(DestinationError);
  expect(error.message).toContain('not-installed');
});
