import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { DestinationCredentialsError } from '../../errors.ts';
import type { Bucket, BucketRequest, ListingPage } from './bucket.ts';
import { addressOf, rootOf, type S3Address } from './destination.ts';
import { notAStore } from './failed-request.ts';
import { isMissing, isUnsupported, refusal, statusOf } from './s3-answers.ts';
import { isOtherStore, openS3Client } from './s3-client.ts';
import { s3Error, s3Words } from './s3-errors.ts';
import { holdLastByte } from './s3-hold.ts';

/** Bytes of one part of an upload; up to four parts are in memory at once. */
const uploadPart = 8 * 2 ** 20;

/** A bucket in S3 or in a store that speaks its protocol. */
export class S3Bucket implements Bucket {
  readonly address: string;
  readonly trusted: boolean;
  readonly #at: S3Address;
  #opened: Promise<S3Client> | undefined;
  /** False once the store has refused to start a listing after a given name. */
  #listsAfter = true;

  constructor(at: S3Address) {
    this.#at = at;
    this.address = rootOf(at);
    this.trusted = !isOtherStore(at);
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
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const client = await this.#client();
    await client.send(new PutObjectCommand({ ...this.#object(name), Body: bytes }));
  }

  async putIfAbsent(
    name: string,
    bytes: Uint8Array,
    whenReady?: () => Promise<void>,
  ): Promise<'written' | 'taken' | 'contended'> {
    const client = await this.#client();
    const put = new PutObjectCommand({ ...this.#object(name), Body: bytes, IfNoneMatch: '*' });
    if (whenReady) holdLastByte(put, bytes, whenReady);
    try {
      await client.send(put);
      return 'written';
    } catch (error) {
      if (statusOf(error) === 412) return 'taken';
      if (statusOf(error) === 409) return 'contended';
      throw error;
    }
  }

  async upload(name: string, file: string, inParts: boolean): Promise<void> {
    const client = await this.#client();
    if (inParts) {
      await this.#uploadInParts(client, name, file);
      return;
    }
    const params = { ...this.#object(name), Body: createReadStream(file) };
    await new Upload({ client, partSize: uploadPart, params }).done();
  }

  /** `Upload` sends a file below its size of a part whole; the last part of an upload may be of any size. */
  async #uploadInParts(client: S3Client, name: string, file: string): Promise<void> {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(this.#object(name)));
    const upload = { ...this.#object(name), UploadId };
    try {
      const part = { PartNumber: 1, Body: await readFile(file) };
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, ...part }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    } catch (error) {
      // The first failure is the one to report. A rule of the bucket's lifecycle has to abort such uploads anyway.
      await Promise.allSettled([client.send(new AbortMultipartUploadCommand(upload))]);
      throw error;
    }
  }

  async *list(
    prefix: string,
    { after, delimiter }: { readonly after?: string | undefined; readonly delimiter?: string | undefined },
  ): AsyncIterable<ListingPage> {
    const asked = { Bucket: this.#at.bucket, Prefix: prefix, StartAfter: after, Delimiter: delimiter };
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#page({ ...asked, ContinuationToken });
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

  async #page(request: ListObjectsV2CommandInput): Promise<ListObjectsV2CommandOutput> {
    const client = await this.#client();
    const { StartAfter, ...whole } = request;
    let page: ListObjectsV2CommandOutput;
    try {
      page = await client.send(new ListObjectsV2Command(this.#listsAfter ? request : whole));
    } catch (error) {
      if (StartAfter === undefined || !this.#listsAfter || !isUnsupported(error)) throw error;
      page = await client.send(new ListObjectsV2Command(whole));
      this.#listsAfter = false;
    }
    // Without these checks, any XML page would pass for an empty listing, and a table's log would seem to be missing.
    const isListing = page.Name !== undefined || page.KeyCount !== undefined;
    if (isListing && (!page.IsTruncated || page.NextContinuationToken !== undefined)) return page;
    throw notAStore(addressOf(this.#at), s3Words);
  }

  async delete(name: string): Promise<void> {
    const client = await this.#client();
    try {
      await client.send(new DeleteObjectCommand(this.#object(name)));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async deleteMany(names: readonly string[]): Promise<boolean> {
    const client = await this.#client();
    const Delete = { Objects: names.map((Key) => ({ Key })), Quiet: true };
    try {
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: this.#at.bucket, Delete }),
      );
      const first = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (first) throw refusal(first.Code ?? 'UnknownError');
      return true;
    } catch (error) {
      // Some stores do not know this request, or want another checksum with it than the SDK sends.
      if (isUnsupported(error)) return false;
      throw error;
    }
  }

  errorOf(cause: unknown, request: BucketRequest): unknown {
    const error = s3Error(cause, this.#at, request);
    // The SDK keeps the credentials that it once found; only a new client finds those that were renewed since.
    if (error instanceof DestinationCredentialsError) this.#opened = undefined;
    return error;
  }
}
