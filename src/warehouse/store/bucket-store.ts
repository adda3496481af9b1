import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DestinationError, DestinationUnavailableError } from '../../errors.ts';
import { sideBySide } from '../side-by-side.ts';
import { isBrokenOff } from './broken-off.ts';
import type { Bucket, BucketObject, BucketRequest } from './bucket.ts';
import { type Download, LocalCopies } from './local-copies.ts';
import { type LocalStore, type Store, writesFolder } from './store.ts';

/** The most bytes of copies of objects that one piece of work keeps on this machine. */
const localRoom = 512 * 2 ** 20;
/** The most objects that one request deletes. */
const deletedAtOnce = 1000;
/** How often a read that breaks off, or a contended write, is tried before it fails. */
const attempts = 5;

/**
 * A store in a bucket of any cloud.
 * @param prefix where in the bucket its objects are; empty for the whole bucket
 * @param local where files are on their way to and from the bucket
 */
export function bucketStore(bucket: Bucket, prefix: string, local: LocalStore): Store {
  const root = prefix === '' ? '' : `${prefix}/`;
  const store: Store = {
    kind: 'bucket',
    trusted: bucket.trusted,
    local,
    async list(prefix, { after } = {}) {
      const behind = after === undefined ? undefined : root + after;
      const objects = await listObjects(bucket, root + prefix, behind);
      return objects.map(({ name, bytes, writtenAt }) => ({
        key: name.slice(root.length),
        bytes,
        writtenAt,
      }));
    },
    async folders() {
      const names = await listFolders(bucket, root);
      return names.map((name) => name.slice(root.length, -1));
    },
    read: (key) => readObject(bucket, root + key, bytesOf),
    write: (key, bytes) =>
      attempted(bucket, { action: 'write', name: root + key }, () => bucket.put(root + key, bytes)),
    writeIfAbsent: (key, bytes, whenReady) => writeIfAbsent(bucket, root + key, bytes, whenReady),
    async upload(key, localFile, { inParts } = { inParts: false }) {
      const name = root + key;
      const { size } = await stat(localFile);
      await attempted(bucket, { action: 'write', name }, () => bucket.upload(name, localFile, inParts));
      await rm(localFile);
      return size;
    },
    async withLocal(work) {
      const folder = await local.scratch(writesFolder);
      const download: Download = (key, path, reserve) => downloadObject(bucket, root + key, path, reserve);
      try {
        return await work(new LocalCopies(folder, localRoom, download));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    delete: (keys) =>
      deleteObjects(
        bucket,
        keys.map((key) => root + key),
      ),
    async deleteAll(prefix) {
      await store.delete((await store.list(prefix)).map(({ key }) => key));
    },
  };
  return store;
}

/** Runs requests to the bucket; what they throw becomes one of our errors. */
async function attempted<T>(bucket: Bucket, request: BucketRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw bucket.errorOf(cause, request);
  }
}

/** Sorted, and only what was asked for: not every store sorts, and not every store can start after a name. */
function listObjects(bucket: Bucket, prefix: string, after: string | undefined): Promise<BucketObject[]> {
  return attempted(bucket, { action: 'list' }, async () => {
    const found: BucketObject[] = [];
    for await (const { objects } of bucket.list(prefix, { after })) {
      for (const object of objects) if (after === undefined || object.name > after) found.push(object);
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

function listFolders(bucket: Bucket, prefix: string): Promise<string[]> {
  return attempted(bucket, { action: 'list' }, async () => {
    const found: string[] = [];
    for await (const { prefixes } of bucket.list(prefix, { delimiter: '/' })) found.push(...prefixes);
    return found.sort();
  });
}

/** Hands the content of an object to `use`, again if it breaks off; `undefined` if there is no such object. */
function readObject<T>(
  bucket: Bucket,
  name: string,
  use: (body: Readable, bytes: number) => Promise<T>,
): Promise<T | undefined> {
  return attempted(bucket, { action: 'read', name }, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const object = await bucket.get(name);
      if (object === undefined) return undefined;
      try {
        return await use(object.body, object.bytes);
      } catch (error) {
        if (!isBrokenOff(error) || attempt === attempts) throw error;
      }
    }
  });
}

async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat(await body.toArray());
}

async function downloadObject(
  bucket: Bucket,
  name: string,
  path: string,
  reserve: (bytes: number) => Promise<void>,
): Promise<void> {
  const written = await readObject(bucket, name, async (body, bytes) => {
    await reserve(bytes);
    await pipeline(body, createWriteStream(path));
    return true;
  });
  if (written) return;
  throw new DestinationError(
    `${bucket.address}/${name} is missing.`,
    'Something else deleted it: restore it, or delete the table and sync again.',
  );
}

async function writeIfAbsent(
  bucket: Bucket,
  name: string,
  bytes: Uint8Array,
  whenReady?: () => Promise<void>,
): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const outcome = await attempted(bucket, { action: 'writeIfAbsent', name }, () =>
      bucket.putIfAbsent(name, bytes, whenReady),
    );
    if (outcome === 'written') return true;
    // A put is sent again if its answer was lost. Then the name is taken by the first one of our own.
    if (outcome === 'taken') return (await readObject(bucket, name, bytesOf))?.equals(bytes) ?? false;
    await sleep(2 ** attempt * 50 * (0.5 + Math.random()));
  }
  throw new DestinationUnavailableError(`Other writers keep writing ${bucket.address}/${name}.`);
}

async function deleteObjects(bucket: Bucket, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += deletedAtOnce) {
    const some = names.slice(from, from + deletedAtOnce);
    const atOnce = some.length > 1 && bucket.deleteMany !== undefined;
    if (atOnce && (await attempted(bucket, { action: 'delete' }, () => bucket.deleteMany!(some)))) continue;
    await sideBySide(some, (name) =>
      attempted(bucket, { action: 'delete', name }, () => bucket.delete(name)),
    );
  }
}
