import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CreateWriteStreamOptions, File, Bucket as GcsHandle, Storage } from '@google-cloud/storage';
import { DestinationCredentialsError } from '../../errors.ts';
import type { Bucket, BucketRequest, ListingPage } from './bucket.ts';
import { addressOf, type GcsAddress, rootOf } from './destination.ts';
import { asksToWait, notAStore } from './failed-request.ts';
import { isOtherStore, openGcsClient } from './gcs-client.ts';
import { gcsError, gcsWords, isMissing, NoToken, statusOf } from './gcs-errors.ts';
import { lastByteHeld } from './last-byte.ts';
import { limitSilence } from './limit-silence.ts';

/** Bytes of one part of an upload, which is in memory. */
const uploadPart = 8 * 2 ** 20;
/** Milliseconds until the answer to a write begins. */
const timeout = 60_000;

/** The parts of a page of a listing that are read. */
type Page = {
  readonly kind?: string;
  readonly items?: readonly { readonly name: string; readonly size: string; readonly timeCreated: string }[];
  readonly prefixes?: readonly string[];
  readonly nextPageToken?: string;
};

/** A bucket in Google Cloud Storage. */
export class GcsBucket implements Bucket {
  readonly address: string;
  readonly trusted: boolean;
  readonly #at: GcsAddress;
  #opened: { readonly storage: Storage; readonly isSigned: boolean } | undefined;

  constructor(at: GcsAddress) {
    this.#at = at;
    this.address = rootOf(at);
    this.trusted = !isOtherStore(at);
  }

  /** Finds the credentials first, so that a failure there is not blamed on the store. They are kept while valid. */
  async #bucket(): Promise<GcsHandle> {
    const { storage, isSigned } = (this.#opened ??= openGcsClient(this.#at));
    if (isSigned) {
      try {
        await storage.authClient.getAccessToken();
      } catch (cause) {
        throw new NoToken('No token.', { cause });
      }
    }
    return storage.bucket(this.#at.bucket);
  }

  async #file(name: string): Promise<File> {
    return (await this.#bucket()).file(name);
  }

  async get(name: string): Promise<{ body: Readable; bytes: number } | undefined> {
    const file = await this.#file(name);
    const download = file.createReadStream();
    try {
      return await begun(download, notAStore(addressOf(this.#at), gcsWords));
    } catch (error) {
      download.destroy();
      if (statusOf(error) === undefined) throw error;
      return this.#withoutContent(file, error);
    }
  }

  /** A failed download only returns text; requesting the object's metadata gives the reason. */
  async #withoutContent(file: File, failure: unknown): Promise<undefined> {
    try {
      await file.getMetadata();
    } catch (error) {
      if (!isMissing(error)) throw error;
      // A missing bucket has the same reason as a missing object, but cannot be listed.
      await this.#page({ prefix: file.name, maxResults: 1 });
      return undefined;
    }
    // Another writer has created the object since it was asked for.
    if (statusOf(failure) === 404) return undefined;
    throw failure;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#file(name);
    await file.save(bytes, wholeOptions(bytes));
  }

  async putIfAbsent(
    name: string,
    bytes: Uint8Array,
    whenReady?: () => Promise<void>,
  ): Promise<'written' | 'taken' | 'contended'> {
    const file = await this.#file(name);
    const options = { ...wholeOptions(bytes), preconditionOpts: { ifGenerationMatch: 0 } };
    try {
      const isSent = whenReady !== undefined && (await sentHeld(file, bytes, whenReady, options));
      if (!isSent) await file.save(bytes, options);
      return 'written';
    } catch (error) {
      if (statusOf(error) === 412) return 'taken';
      throw error;
    }
  }

  async upload(name: string, path: string, inParts: boolean): Promise<void> {
    const file = await this.#file(name);
    const { size } = await stat(path);
    const resumable = inParts || size > uploadPart;
    const options = { timeout, resumable, ...(resumable && { chunkSize: uploadPart }) };
    await file.save(() => createReadStream(path), options);
  }

  async *list(
    prefix: string,
    { after, delimiter }: { readonly after?: string | undefined; readonly delimiter?: string | undefined },
  ): AsyncIterable<ListingPage> {
    // A listing begins at this name, not after it.
    const asked = {
      prefix,
      ...(after !== undefined && { startOffset: after }),
      ...(delimiter && { delimiter }),
    };
    let pageToken: string | undefined;
    do {
      const page = await this.#page({ ...asked, ...(pageToken !== undefined && { pageToken }) });
      yield {
        objects: (page.items ?? []).map(({ name, size, timeCreated }) => ({
          name,
          bytes: Number(size),
          writtenAt: Date.parse(timeCreated),
        })),
        prefixes: page.prefixes ?? [],
      };
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async #page(asked: { readonly [parameter: string]: string | number }): Promise<Page> {
    const bucket = await this.#bucket();
    const [, , page] = (await bucket.getFiles({ ...asked, autoPaginate: false })) as [unknown, unknown, Page];
    // Without this check, any JSON answer would pass for an empty listing, and a table's log would seem to be missing.
    if (page.kind === 'storage#objects') return page;
    throw notAStore(addressOf(this.#at), gcsWords);
  }

  async delete(name: string): Promise<void> {
    const file = await this.#file(name);
    try {
      await file.delete();
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  errorOf(cause: unknown, request: BucketRequest): unknown {
    const error = gcsError(cause, this.#at, request);
    // Only a new client finds credentials that were renewed since.
    if (error instanceof DestinationCredentialsError) this.#opened = undefined;
    return error;
  }
}

/**
 * The store checks the content by its hash. The library would compare the hashes after the write, and delete the object
 * if they differ: another writer may then have built on this commit.
 */
function wholeOptions(bytes: Uint8Array): CreateWriteStreamOptions {
  const md5Hash = createHash('md5').update(bytes).digest('base64');
  return { resumable: false, validation: false, metadata: { md5Hash }, timeout };
}

/**
 * Waits for the answer to a download; throws if it is not the object.
 * @param strange thrown if the answer does not say how long the object is
 */
function begun(download: Readable, strange: Error): Promise<{ body: Readable; bytes: number }> {
  return new Promise((resolve, reject) => {
    download.once('error', reject);
    download.once('response', ({ statusCode, headers }: IncomingMessage) => {
      if (statusCode !== 200) return;
      const bytes = headers['x-goog-stored-content-length'] ?? headers['content-length'];
      if (bytes === undefined) reject(strange);
      else resolve({ body: limitSilence(download), bytes: Number(bytes) });
    });
    // The request is only sent once the stream is read.
    download.read(0);
  });
}

/** Writes with the last byte held back. `false` if that may succeed later: the library does not repeat a stream. */
async function sentHeld(
  file: File,
  bytes: Uint8Array,
  whenReady: () => Promise<void>,
  options: CreateWriteStreamOptions,
): Promise<boolean> {
  try {
    await pipeline(Readable.from(lastByteHeld(bytes, whenReady)), file.createWriteStream(options));
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || asksToWait(status)) return false;
    throw error;
  }
}
