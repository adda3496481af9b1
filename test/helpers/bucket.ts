import { mkdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { afterAll, inject } from 'vitest';
import { awsVariables } from './environment.ts';
import { credentials, type Gateway, startGateway } from './s3-gateway.ts';

/** Whether tests that need a bucket can run on this machine. */
export function canServeS3(): boolean {
  return inject('canServeS3');
}

/** A bucket on this machine; its objects are files in `folder`. */
export type TestBucket = { readonly gateway: Gateway; readonly folder: string };

/** A bucket that tests of any store use instead of a folder. */
export type ServedBucket = {
  /** Represents the bucket in paths; not every store keeps its objects there. */
  readonly folder: string;
  readonly destination: (key: string) => string;
  /** How delta-rs and Polars reach a table. */
  readonly reader: (key: string) => { table: string; storage?: { [option: string]: string } };
  /** Set for a server that does not know the requests with which delta-rs writes. */
  readonly readOnlyForDeltaRs?: true;
};

let bucket: TestBucket | undefined;
let served: ServedBucket | undefined;

/** Lets the tests of this file keep their tables in a bucket. */
export function useBucket(bucket: ServedBucket): void {
  served = bucket;
}

/** Serves a bucket until the tests of this file are over. */
export async function serveBucket(): Promise<TestBucket> {
  if (bucket) return bucket;
  Object.assign(process.env, awsVariables);
  const gateway = await startGateway();
  afterAll(() => gateway.stop());
  const folder = join(gateway.root, 'tables');
  // Tests that sweep with another clock must not delete files of others that are on their way.
  process.env['TMPDIR'] = gateway.scratch;
  await mkdir(folder);
  bucket = { gateway, folder };
  useBucket({
    folder,
    destination: (key) => `s3://tables/${key}?endpoint=${gateway.url}`,
    reader: (key) => ({
      table: `s3://tables/${key}`,
      storage: {
        ...credentials,
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: gateway.url,
        AWS_ALLOW_HTTP: 'true',
      },
    }),
  });
  return bucket;
}

/** The destination whose objects are the files of a folder: the bucket, if the folder is in it, or the folder itself. */
export function destinationAt(folder: string): string {
  const key = keyAt(folder);
  return served && key !== undefined ? served.destination(key) : folder;
}

/** How delta-rs and Polars reach a table whose files are in a folder. */
export function readerAt(folder: string): { table: string; storage?: { [option: string]: string } } {
  const key = keyAt(folder);
  return served && key !== undefined ? served.reader(key) : { table: folder };
}

function keyAt(folder: string): string | undefined {
  const key = served && relative(served.folder, folder);
  return key === undefined || key.startsWith('..') ? undefined : key.split(sep).join('/');
}

/** Whether delta-rs can change tables where the tests of this file keep them. */
export function canDeltaRsWrite(): boolean {
  return !served?.readOnlyForDeltaRs;
}

/** The folder that holds the bucket's objects, once a bucket is served. */
export function bucketFolder(): string | undefined {
  return served?.folder;
}
