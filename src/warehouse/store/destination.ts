import { resolve } from 'node:path';

import { UsageError } from '../../errors.ts';

/** Where tables are in an S3 bucket, and how to reach the store if the environment does not say so. */
export type BucketAddress = {
  readonly bucket: string;
  /** Empty for the whole bucket; has no slash at either end. */
  readonly prefix: string;
  /** Only for a store other than AWS. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Whether the bucket is part of a request's path, not of its host name. */
  readonly pathStyle: boolean | undefined;
};

export const destinationTakes =
  'it takes the path of a folder, or s3://bucket/prefix with ?endpoint=…&region=…&pathStyle=true for a store other than AWS';

/**
 * A destination in the form in which it is stored and compared: the absolute path of a folder, or the URL of a bucket
 * with its parameters in alphabetical order.
 * @param folder the folder that a relative path starts from
 *
 * Throws `UsageError` for anything else.
 */
export function destinationOf(text: string, folder = '.'): string {
  const problem = problemOfDestination(text);
  if (problem !== undefined) {
    throw new UsageError(
      `The destination ${JSON.stringify(shownDestination(text))} cannot be used: ${problem}.`,
      'Name a folder, or a bucket as s3://bucket/prefix.',
    );
  }
  const bucket = bucketOf(text);
  if (bucket === undefined) return resolve(folder, text);
  const { endpoint, pathStyle, region } = bucket;
  const parameters = Object.entries({ endpoint, pathStyle, region })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  return `${addressOf(bucket)}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

/** Why a text is not a destination; `undefined` if it is one. */
export function problemOfDestination(text: string): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(text)?.[1];
  // `s3:/bucket` would be a folder of that name, but a bucket is meant.
  const isFolder = text !== '' && !text.includes('\0') && !/^s3:/i.test(text);
  if (scheme === undefined) {
    if (!isFolder) return destinationTakes;
    return /[*?]/.test(resolve(text))
      ? 'its path contains * or ?, which readers take for a pattern'
      : undefined;
  }
  if (scheme !== 's3') return destinationTakes;
  const { host, path, parameters } = partsOf(text);
  if (host.includes('@'))
    return 'credentials do not belong in it: they are found the way the AWS SDK finds them';
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(host)) {
    return 'it does not name a bucket: 3 to 63 letters, digits, dots and hyphens after s3://';
  }
  const folders = path.replace(/^\/|\/$/g, '').split('/');
  if ((folders.length > 1 && folders.includes('')) || folders.some((name) => name === '.' || name === '..')) {
    return 'its prefix has an empty part, . or ..';
  }
  for (const [name, value] of parameters) {
    if (!(name in parameterTakes))
      return `it has no parameter ${name}, only ${Object.keys(parameterTakes).join(', ')}`;
    const takes = parameterTakes[name as keyof typeof parameterTakes];
    if (!takes.pattern.test(value)) return `${name} takes ${takes.what}`;
  }
  return undefined;
}

const parameterTakes = {
  endpoint: {
    pattern: /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?\/?$|^https?:\/\/\[[0-9A-Fa-f:]+\](:\d+)?\/?$/,
    what: 'the address of the store, such as https://minio.example:9000',
  },
  region: { pattern: /^[A-Za-z0-9-]+$/, what: 'the name of a region' },
  pathStyle: { pattern: /^(true|false)$/, what: 'true or false' },
};

/** The bucket of a valid destination; `undefined` for a folder. */
export function bucketOf(destination: string): BucketAddress | undefined {
  if (!destination.startsWith('s3://')) return undefined;
  const { host, path, parameters } = partsOf(destination);
  const { endpoint, region, pathStyle } = Object.fromEntries(parameters);
  return {
    bucket: host,
    prefix: path.replace(/^\/|\/$/g, ''),
    endpoint: endpoint?.replace(/\/$/, ''),
    region,
    pathStyle: pathStyle === undefined ? undefined : pathStyle === 'true',
  };
}

/** The address where readers find the tables of a bucket. */
export function addressOf({ bucket, prefix }: Pick<BucketAddress, 'bucket' | 'prefix'>): string {
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
}

/**
 * Equal for two destinations if they are the same place, whichever machine they are named on. The region of a bucket and
 * the style of its requests make no difference; a folder belongs to its host.
 */
export function placeOf(destination: string, host: string): string {
  const bucket = bucketOf(destination);
  if (bucket === undefined) return `${host}:${destination}`;
  const { endpoint } = bucket;
  return `${addressOf(bucket)}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
}

function partsOf(text: string): { host: string; path: string; parameters: [string, string][] } {
  const [, host = '', path = '', query = ''] = /^s3:\/\/([^/?]*)([^?]*)\??([^]*)$/.exec(text) ?? [];
  return { host, path, parameters: [...new URLSearchParams(query)] };
}

/** A destination for messages: without the parts that may hold a secret by mistake. */
export function shownDestination(text: string): string {
  return text.replace(/\/\/[^/?]*@/, '//…@').replace(/\?[^]*$/, '?…');
}
