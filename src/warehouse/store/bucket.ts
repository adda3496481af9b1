import type { Readable } from 'node:stream';

/** An object as a listing gives it; `writtenAt` is its last write in milliseconds since the epoch. */
export type BucketObject = { readonly name: string; readonly bytes: number; readonly writtenAt: number };

export type ListingPage = {
  readonly objects: readonly BucketObject[];
  /** With a delimiter: the beginnings of names up to and including it. */
  readonly prefixes: readonly string[];
};

/** What a request was for, so that an error can name it. */
export type BucketRequest = {
  readonly action: 'read' | 'list' | 'write' | 'writeIfAbsent' | 'delete';
  /** Left out if the request was not about one object. */
  readonly name?: string;
};

/**
 * What a cloud has to do for `bucketStore` to make a store of it. Names are those of the bucket, including the prefix
 * of the destination. The methods may throw anything that the cloud's SDK throws after its own retries.
 */
export type Bucket = {
  /** `s3://bucket`: followed by `/` and the name of an object it is the object's address in messages. */
  readonly address: string;
  /** Whether the store's provider guarantees that only one of many `putIfAbsent` calls for a name succeeds. */
  readonly trusted: boolean;
  /** `undefined` if there is no such object; throws if there is no such bucket. */
  get(name: string): Promise<{ readonly body: Readable; readonly bytes: number } | undefined>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * `contended`: another writer is writing the object at this moment, and may still fail.
   * @param whenReady awaited before the request is complete; a bucket that is trusted need not call it
   */
  putIfAbsent(
    name: string,
    bytes: Uint8Array,
    whenReady?: () => Promise<void>,
  ): Promise<'written' | 'taken' | 'contended'>;
  /** Uploads a local file of any size; if `inParts`, even a small one the way that large ones are. */
  upload(name: string, file: string, inParts: boolean): Promise<void>;
  /**
   * Pages in any order.
   * @param options.after nothing needs to be listed up to this name; a cloud that cannot leave it out lists it too
   */
  list(
    prefix: string,
    options: { readonly after?: string | undefined; readonly delimiter?: string | undefined },
  ): AsyncIterable<ListingPage>;
  /** No error if there is no such object. */
  delete(name: string): Promise<void>;
  /** Deletes up to 1,000 objects with one request; `false` if the store does not support that. */
  deleteMany?(names: readonly string[]): Promise<boolean>;
  /**
   * One of our errors for what a method, or the stream of an object, has thrown; anything that is not the failure of a
   * request is returned unchanged.
   */
  errorOf(cause: unknown, request: BucketRequest): unknown;
};
