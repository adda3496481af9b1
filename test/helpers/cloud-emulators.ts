import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll } from 'vitest';
import { useBucket } from './bucket.ts';
import { answered, ended, ensureProgram, exists, freePort } from './s3-gateway.ts';

const azurite = 'azurite@3.35.0';
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/** Places for a server, gone after the tests of this file; `TMPDIR` is one that only these tests sweep. */
async function newPlace(): Promise<{ root: string; folder: string }> {
  const place = await mkdtemp(join(tmpdir(), 'incident-io-source-cloud-'));
  afterAll(() => rm(place, { recursive: true, force: true }));
  const [root, scratch] = [join(place, 'root'), join(place, 'scratch')];
  const folder = join(root, 'tables');
  for (const path of [root, scratch, folder]) await mkdir(path);
  process.env['TMPDIR'] = scratch;
  return { root, folder };
}

async function started(child: ChildProcess, url: string): Promise<void> {
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  afterAll(async () => {
    process.off('exit', killWithUs);
    await ended(child);
  });
  await answered(url);
}

/** Serves a bucket of Google Cloud Storage, whose objects are files, until the tests of this file are over. */
export async function serveGcs(): Promise<void> {
  const program = await ensureProgram('github.com/fsouza/fake-gcs-server', 'v1.56.1');
  const { root, folder } = await newPlace();
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}`;
  const args = ['-scheme', 'http', '-host', '127.0.0.1', '-port', `${port}`, '-public-host', host];
  const files = ['-filesystem-root', root, '-log-level', 'error'];
  await started(spawn(program, [...args, ...files], { stdio: ['ignore', 'ignore', 'inherit'] }), url);
  const account = {
    gcs_base_url: url,
    disable_oauth: true,
    client_email: '',
    private_key: '',
    private_key_id: '',
  };
  useBucket({
    folder,
    readOnlyForDeltaRs: true,
    destination: (key) => `gs://tables/${key}?endpoint=${url}`,
    reader: (key) => ({
      table: `gs://tables/${key}`,
      storage: { GOOGLE_SERVICE_ACCOUNT_KEY: JSON.stringify(account), ALLOW_HTTP: 'true' },
    }),
  });
}

/** Serves a container of Azure until the tests of this file are over; its objects are in the server's memory. */
export async function serveAzure(): Promise<void> {
  const installed = join(cache, azurite);
  const program = join(installed, 'node_modules/azurite/dist/src/blob/main.js');
  if (!(await exists(program))) {
    await mkdir(installed, { recursive: true });
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', installed, azurite]);
  }
  const { folder } = await newPlace();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // The client is newer than the versions of the API that Azurite knows.
  const args = ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck'];
  const at = ['--blobHost', '127.0.0.1', '--blobPort', `${port}`];
  const account = 'acme';
  const key = Buffer.from('secret').toString('base64');
  const env = { AZURITE_ACCOUNTS: `${account}:${key}` };
  await started(
    spawn(process.execPath, [program, ...at, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
    url,
  );
  const credential = new StorageSharedKeyCredential(account, key);
  await new BlobServiceClient(`${url}/${account}`, credential).getContainerClient('tables').create();
  process.env['AZURE_STORAGE_ACCOUNT_KEY'] = key;
  useBucket({
    folder,
    destination: (name) => `az://${account}/tables/${name}?endpoint=${url}`,
    reader: (name) => ({
      table: `abfss://tables@${account}.dfs.core.windows.net/${name}`,
      storage: {
        AZURE_STORAGE_ACCOUNT_NAME: account,
        AZURE_STORAGE_ACCOUNT_KEY: key,
        AZURE_STORAGE_ENDPOINT: `${url}/${account}`,
        ALLOW_HTTP: 'true',
      },
    }),
  });
}
