import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { DestinationCredentialsError } from '../../errors.ts';
import type { Bucket, BucketRequest, ListingPage } from './bucket.ts';
import { addressOf, type BucketAddress } from './destination.ts';
import { openS3Client } from './s3-client.ts';
import { refusal, s3Error, statusOf } from './s3-errors.ts';

/** Bytes of one part of an upload; up to four parts are in memory at once. */
const uploadPart = 8 * 2 ** 20;

/** A bucket in S3 or in a store that speaks its protocol. */
export class S3Bucket implements Bucket {
  readonly address: string;
  readonly #at: BucketAddress;
  #opened: Promise<S3Client> | undefined;

  constructor(at: BucketAddress) {
    this.#at = at;
    this.address = addressOf({ bucket: at.bucket, prefix: '' });
  }

  #client(): Promise<S3Client> {
    return (this.#opened ??= openS3Client(this.#at));
  }

  #object(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#at.bucket, Key: name };
  }

  async get(name: string): Promise<{ body: Readable; bytes: number } | undefined> {
    const client = await this.#client();
    try {
      const { Body, ContentLength } = await client.send(new GetObjectCommand(this.#object(name)));
      return { body: Body as Readable, bytes: ContentLength ?? 0 };
    } catch (error) {
      if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw error;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const client = await this.#client();
    await client.send(new PutObjectCommand({ ...this.#object(name), Body: bytes }));
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<'written' | 'taken' | 'contended'> {
    const client = await this.#client();
    try {
      await client.send(new PutObjectCommand({ ...this.#object(name), Body: bytes, IfNoneMatch: '*' }));
      return 'written';
    } catch (error) {
      if (statusOf(error) === 412) return 'taken';
      if (statusOf(error) === 409) return 'contended';
      throw error;
    }
  }

  async upload(name: string, file: string): Promise<void> {
    const client = await this.#client();
    const params = { ...this.#object(name), Body: createReadStream(file) };
    await new Upload({ client, partSize: uploadPart, params }).done();
  }

  async *list(
    prefix: string,
    { after, delimiter }: { readonly after?: string | undefined; readonly delimiter?: string | undefined },
  ): AsyncIterable<ListingPage> {
    const client = await this.#client();
    const asked = { Bucket: this.#at.bucket, Prefix: prefix, StartAfter: after, Delimiter: delimiter };
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ ...asked, ContinuationToken }));
      const { Contents = [], CommonPrefixes = [] } = page;
      yield {
        objects: Contents.map(({ Key, Size, LastModified }) => ({
          name: Key!,
          bytes: Size!,
          writtenAt: LastModified!.getTime(),
        })),
        prefixes: CommonPrefixes.map(({ Prefix }) => Prefix!),
      };
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  async delete(name: string): Promise<void> {
    const client = await this.#client();
    await client.send(new DeleteObjectCommand(this.#object(name)));
  }

  async deleteMany(names: readonly string[]): Promise<boolean> {
    const client = await this.#client();
    const Delete = { Objects: names.map((Key) => ({ Key })), Quiet: true };
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: this.#at.bucket, Delete }));
    const [first] = Errors;
    if (first) throw refusal(first.Code ?? 'UnknownError');
    return true;
  }

  errorOf(cause: unknown, request: BucketRequest): unknown {
    const error = s3Error(cause, this.#at, request);
    // The SDK keeps the credentials that it once found; only a new client finds those that were renewed since.
    if (error instanceof DestinationCredentialsError) this.#opened = undefined;
    return error;
  }
}
