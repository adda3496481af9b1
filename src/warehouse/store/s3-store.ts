import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

import { DestinationCredentialsError, DestinationError } from '../../errors.ts';
import { addressOf, type Bucket } from './destination.ts';
import { LocalCopies } from './local-copies.ts';
import { isBrokenOff, refusal, statusOf, storeError } from './s3-errors.ts';
import { scratchStore } from './scratch-store.ts';
import { type Store, type StoredObject, writesFolder } from './store.ts';

/** Bytes of copies of objects that one piece of work keeps on this machine. */
const localRoom = 512 * 2 ** 20;
/** Bytes of a part of an upload; four are in memory at once. */
const uploadPart = 8 * 2 ** 20;
/** Objects that one request can delete. */
const deletedAtOnce = 1000;
/** How often a request is sent at most before its failure is told. */
const attempts = 5;

/**
 * A store in an S3 bucket. Put-if-absent is `If-None-Match: *`; a store that ignores it fails
 * `Warehouse.assertWritable`. Credentials, and what the destination leaves open, are found as the AWS SDK does.
 */
export async function s3Store(bucket: Bucket, room = localRoom): Promise<Store> {
  const local = await scratchStore();
  const root = bucket.prefix === '' ? '' : `${bucket.prefix}/`;
  const Bucket = bucket.bucket;
  let opened: Promise<S3Client> | undefined;

  /** Uses the client; an error comes out as one of ours. */
  async function asked<T>(
    action: string,
    key: string | undefined,
    use: (client: S3Client) => Promise<T>,
  ): Promise<T> {
    opened ??= openClient(bucket);
    try {
      return await use(await opened);
    } catch (cause) {
      const error = storeError(cause, bucket, action, key);
      // The SDK keeps what it once found: credentials that were renewed meanwhile are found by a new client.
      if (error instanceof DestinationCredentialsError) opened = undefined;
      throw error;
    }
  }

  /** Reads an object whole; an answer that breaks off is asked for again. `undefined` where there is none. */
  function get<T>(key: string, use: (body: Readable, bytes: number) => Promise<T>): Promise<T | undefined> {
    return asked('s3:GetObject', key, async (client) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { Body, ContentLength } = await client.send(
            new GetObjectCommand({ Bucket, Key: root + key }),
          );
          return await use(Body as Readable, ContentLength ?? 0);
        } catch (error) {
          if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
          // A request that is answered with an error the SDK has sent often enough.
          if (!isBrokenOff(error) || attempt === attempts) throw error;
        }
      }
    });
  }

  async function* pages(prefix: string, options: { StartAfter?: string; Delimiter?: string }) {
    let ContinuationToken: string | undefined;
    do {
      const page = await asked('s3:ListBucket', undefined, (client) =>
        client.send(
          new ListObjectsV2Command({ Bucket, Prefix: root + prefix, ContinuationToken, ...options }),
        ),
      );
      yield page;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  const store: Store = {
    kind: 'bucket',
    local,
    async list(prefix, { after } = {}) {
      const found: StoredObject[] = [];
      for await (const { Contents = [] } of pages(prefix, {
        ...(after !== undefined && { StartAfter: root + after }),
      })) {
        for (const { Key, Size, LastModified } of Contents) {
          found.push({
            key: Key!.slice(root.length),
            bytes: Size!,
            writtenAt: LastModified!.getTime(),
          });
        }
      }
      return found;
    },
    async folders() {
      const names: string[] = [];
      for await (const { CommonPrefixes = [] } of pages('', { Delimiter: '/' })) {
        names.push(...CommonPrefixes.map(({ Prefix }) => Prefix!.slice(root.length, -1)));
      }
      return names;
    },
    read: (key) => get(key, bytesOf),
    async write(key, bytes) {
      await asked('s3:PutObject', key, (client) =>
        client.send(new PutObjectCommand({ Bucket, Key: root + key, Body: bytes })),
      );
    },
    async writeIfAbsent(key, bytes) {
      const put = new PutObjectCommand({ Bucket, Key: root + key, Body: bytes, IfNoneMatch: '*' });
      const written = await asked('s3:PutObject', key, async (client) => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            await client.send(put);
            return true;
          } catch (error) {
            if (statusOf(error) === 412) return false;
            // Another writer is at it this moment: nobody knows yet whether it will stand.
            if (statusOf(error) !== 409 || attempt === attempts) throw error;
            await sleep(2 ** attempt * 50 * (0.5 + Math.random()));
          }
        }
      });
      // A put that is sent again because its answer was lost finds what it wrote itself.
      return written || ((await store.read(key))?.equals(bytes) ?? false);
    },
    async upload(key, localFile) {
      const { size } = await stat(localFile);
      await asked('s3:PutObject', key, (client) =>
        new Upload({
          client,
          partSize: uploadPart,
          params: { Bucket, Key: root + key, Body: createReadStream(localFile) },
        }).done(),
      );
      await rm(localFile);
      return size;
    },
    async withLocal(work) {
      const folder = await local.scratch(writesFolder);
      const download = async (key: string, path: string, reserve: (bytes: number) => Promise<void>) => {
        const written = await get(key, async (body, bytes) => {
          await reserve(bytes);
          await pipeline(body, createWriteStream(path));
          return true;
        });
        if (!written) {
          throw new DestinationError(
            `${addressOf(bucket)}/${key} is missing.`,
            'Somebody else deleted it: restore it, or delete the table and sync again.',
          );
        }
      };
      try {
        return await work(new LocalCopies(folder, room, download));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async delete(keys) {
      for (let from = 0; from < keys.length; from += deletedAtOnce) {
        const Objects = keys.slice(from, from + deletedAtOnce).map((key) => ({ Key: root + key }));
        await asked('s3:DeleteObject', undefined, async (client) => {
          const { Errors } = await client.send(
            new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
          );
          const [first] = Errors ?? [];
          if (first) throw refusal(first.Code ?? 'UnknownError');
        });
      }
    },
    async deleteAll(prefix) {
      await store.delete((await store.list(prefix)).map(({ key }) => key));
    },
  };
  return store;
}

async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat(await body.toArray());
}

async function openClient({ bucket, endpoint, region, pathStyle }: Bucket): Promise<S3Client> {
  const { env } = process;
  // It tells of the Node that the SDK's later versions will need; which version this is, is not the user's to say.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const isOther = (endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']) !== undefined;
  const clientWith = (where: { region?: string }) =>
    new S3Client({
      ...where,
      ...(endpoint !== undefined && { endpoint }),
      // Few other stores have a host name for each bucket.
      forcePathStyle: pathStyle ?? isOther,
      // Nor do all know the checksums that AWS has come to expect.
      ...(isOther && {
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      }),
      maxAttempts: attempts,
      // Asking whether a body may be sent takes a connection that is not kept.
      expectContinueHeader: false,
      // The second is of silence: a long answer may take its time.
      requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
    });
  if (region !== undefined) return clientWith({ region });
  const client = clientWith({});
  try {
    await client.config.region();
    return client;
  } catch (error) {
    client.destroy();
    if (!(error as Error).message.includes('Region is missing')) throw error;
    if (isOther) return clientWith({ region: 'us-east-1' });
    throw new DestinationError(
      `The region of the bucket ${bucket} is not known.`,
      'Set AWS_REGION, or give the region with the destination: s3://bucket/prefix?region=eu-west-1',
    );
  }
}
