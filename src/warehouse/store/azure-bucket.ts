import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { DestinationCredentialsError } from '../../errors.ts';
import { azureError, azureWords, codeOf, isMissing, statusOf } from './azure-errors.ts';
import { isOtherStore, openContainer } from './azure-client.ts';
import type { Bucket, BucketRequest, ListingPage } from './bucket.ts';
import { addressOf, type AzureAddress, rootOf } from './destination.ts';
import { notAStore } from './failed-request.ts';
import { lastByteHeld } from './last-byte.ts';
import { limitSilence } from './limit-silence.ts';

/** Bytes of one part of an upload; up to four parts are in memory at once. */
const uploadPart = 8 * 2 ** 20;
/** Milliseconds without progress, all attempts included, after which a request is given up. */
const longestWaitMs = 120_000;
/** The most entries of one page of a listing; Azure has no larger ones. */
const maxPageSize = 5_000;

/** A container in Azure Blob Storage or Azure Data Lake Storage. */
export class AzureBucket implements Bucket {
  readonly address: string;
  readonly trusted: boolean;
  readonly #at: AzureAddress;
  #opened: Promise<ContainerClient> | undefined;

  constructor(at: AzureAddress) {
    this.#at = at;
    this.address = rootOf(at);
    this.trusted = !isOtherStore(at);
  }

  #container(): Promise<ContainerClient> {
    return (this.#opened ??= openContainer(this.#at));
  }

  async #blob(name: string): Promise<BlockBlobClient> {
    return (await this.#container()).getBlockBlobClient(name);
  }

  async get(name: string): Promise<{ body: Readable; bytes: number } | undefined> {
    const blob = await this.#blob(name);
    try {
      const answer = await bounded((abortSignal) => blob.download(0, undefined, { abortSignal }));
      const { readableStreamBody: body, contentLength: bytes, etag } = answer;
      if (body === undefined || bytes === undefined || etag === undefined) {
        throw notAStore(addressOf(this.#at), azureWords);
      }
      return { body: limitSilence(body as Readable), bytes };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const blob = await this.#blob(name);
    await bounded((abortSignal) => blob.upload(bytes, bytes.byteLength, { abortSignal }));
  }

  async putIfAbsent(
    name: string,
    bytes: Uint8Array,
    whenReady?: () => Promise<void>,
  ): Promise<'written' | 'taken' | 'contended'> {
    const blob = await this.#blob(name);
    const conditions = { ifNoneMatch: '*' };
    let attempts = 0;
    const body = () => {
      attempts += 1;
      // A store that refuses the request before it is complete ends the connection; the second attempt is an ordinary one.
      return Readable.from(whenReady && attempts === 1 ? lastByteHeld(bytes, whenReady) : [bytes]);
    };
    try {
      await bounded((abortSignal) => blob.upload(body, bytes.byteLength, { conditions, abortSignal }));
      return 'written';
    } catch (error) {
      if (isTaken(error)) return 'taken';
      throw error;
    }
  }

  async upload(name: string, file: string, inParts: boolean): Promise<void> {
    const blob = await this.#blob(name);
    await bounded(async (abortSignal, progress) => {
      if (inParts) {
        // The library sends a file below its size of a part whole; the last part of an upload may be of any size.
        const part = await readFile(file);
        const id = Buffer.from('part-1').toString('base64');
        await blob.stageBlock(id, part, part.byteLength, { abortSignal });
        await blob.commitBlockList([id], { abortSignal });
        return;
      }
      await blob.uploadFile(file, {
        abortSignal,
        onProgress: progress,
        blockSize: uploadPart,
        maxSingleShotSize: uploadPart,
        concurrency: 4,
      });
    });
  }

  async *list(
    prefix: string,
    { delimiter }: { readonly after?: string | undefined; readonly delimiter?: string | undefined },
  ): AsyncIterable<ListingPage> {
    const container = await this.#container();
    let continuationToken: string | undefined;
    do {
      // With a hierarchical namespace, folders are listed too, and only their metadata distinguishes them from files.
      const asked = { prefix, includeMetadata: true };
      const token = continuationToken === undefined ? {} : { continuationToken };
      const page = await bounded(async (abortSignal) => {
        const pages =
          delimiter === undefined
            ? container.listBlobsFlat({ ...asked, abortSignal })
            : container.listBlobsByHierarchy(delimiter, { ...asked, abortSignal });
        return this.#listing(() => pages.byPage({ maxPageSize, ...token }).next());
      });
      yield listed(page);
      continuationToken = page.continuationToken || undefined;
    } while (continuationToken !== undefined);
  }

  /** Without this check, any page would pass for an empty listing, and a table's log would seem to be missing. */
  async #listing(next: () => Promise<{ value: Page }>): Promise<Page> {
    try {
      const { value } = await next();
      if (value.containerName === this.#at.bucket) return value;
    } catch (error) {
      // The library fails in odd ways on an answer that is not a listing.
      if (!(error instanceof TypeError)) throw error;
    }
    throw notAStore(addressOf(this.#at), azureWords);
  }

  async delete(name: string): Promise<void> {
    const blob = await this.#blob(name);
    try {
      // A file with snapshots can only be deleted together with them.
      await bounded((abortSignal) => blob.delete({ deleteSnapshots: 'include', abortSignal }));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  errorOf(cause: unknown, request: BucketRequest): unknown {
    const error = azureError(cause, this.#at, request);
    // Only a new client finds credentials that were renewed since.
    if (error instanceof DestinationCredentialsError) this.#opened = undefined;
    return error;
  }
}

/** The parts of a page of a listing that are read. */
type Page = {
  readonly containerName?: string;
  readonly continuationToken?: string;
  readonly segment: {
    readonly blobItems: readonly {
      readonly name: string;
      readonly metadata?: { readonly [name: string]: string };
      readonly properties: { readonly contentLength?: number; readonly lastModified: Date };
    }[];
    readonly blobPrefixes?: readonly { readonly name: string }[];
  };
};

function listed({ segment }: Page): ListingPage {
  const files = segment.blobItems.filter(({ metadata }) => metadata?.['hdi_isfolder'] !== 'true');
  return {
    objects: files.map(({ name, properties }) => ({
      name,
      bytes: properties.contentLength!,
      writtenAt: properties.lastModified.getTime(),
    })),
    prefixes: (segment.blobPrefixes ?? []).map(({ name }) => name),
  };
}

/** Azure answers a refused write that may only create with 409, or with 412 if it sees it as a change of a blob. */
function isTaken(error: unknown): boolean {
  const status = statusOf(error);
  const code = codeOf(error);
  return (status === 409 && code === 'BlobAlreadyExists') || (status === 412 && code === 'ConditionNotMet');
}

/** Ends requests that make no progress: the library would wait for an answer forever. */
async function bounded<T>(work: (signal: AbortSignal, progress: () => void) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), longestWaitMs);
  try {
    return await work(ended.signal, () => void timer.refresh());
  } finally {
    clearTimeout(timer);
  }
}
