import { resolve } from 'node:path';

import { UsageError } from '../../errors.ts';

/** Where tables lie in an S3 bucket, and how the store is reached where that is not the environment's to say. */
export type Bucket = {
  readonly bucket: string;
  /** Empty for the whole bucket; without slashes at its ends. */
  readonly prefix: string;
  /** Of a store other than AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Whether the bucket stands in the path of a request and not in its host. */
  readonly pathStyle?: boolean;
};

export const destinationTakes =
  'it takes the path of a folder, or s3://bucket/prefix with ?endpoint=…&region=…&pathStyle=true for a store other than AWS';

/**
 * A destination as it is kept and compared: the absolute path of a folder, or a bucket's URL with its parameters in
 * order.
 * @param folder what a path is relative to
 *
 * Throws `UsageError` for what is neither.
 */
export function destinationOf(text: string, folder = '.'): string {
  const problem = problemOfDestination(text);
  if (problem !== undefined) {
    throw new UsageError(
      `The destination ${JSON.stringify(shownDestination(text))} cannot be used: ${problem}.`,
      'Give a folder, or a bucket as s3://bucket/prefix.',
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

/** What is wrong with a destination; `undefined` where nothing is. */
export function problemOfDestination(text: string): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(text)?.[1];
  // With one slash it would be a folder of that name, and a bucket is meant.
  const isFolder = text !== '' && !text.includes('\0') && !/^s3:/i.test(text);
  if (scheme === undefined) {
    if (!isFolder) return destinationTakes;
    return /[*?]/.test(resolve(text)) ? 'its path holds * or ?, which readers take for a pattern' : undefined;
  }
  if (scheme !== 's3') return destinationTakes;
  const { host, path, parameters } = partsOf(text);
  if (host.includes('@')) return 'credentials do not belong in it: they are found as the AWS SDK finds them';
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(host)) {
    return 'it names no bucket: 3 to 63 letters, digits, dots and hyphens behind s3://';
  }
  const folders = path.replace(/^\/|\/$/g, '').split('/');
  if ((folders.length > 1 && folders.includes('')) || folders.some((name) => name === '.' || name === '..')) {
    return 'its prefix has an empty part, . or ..';
  }
  for (const [name, value] of parameters) {
    if (!(name in parameterTakes))
      return `it takes no ${name}, only ${Object.keys(parameterTakes).join(', ')}`;
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

/** The bucket of a destination that `problemOfDestination` finds nothing wrong with; `undefined` for a folder. */
export function bucketOf(destination: string): Bucket | undefined {
  if (!destination.startsWith('s3://')) return undefined;
  const { host, path, parameters } = partsOf(destination);
  const { endpoint, region, pathStyle } = Object.fromEntries(parameters);
  return {
    bucket: host,
    prefix: path.replace(/^\/|\/$/g, ''),
    ...(endpoint !== undefined && { endpoint: endpoint.replace(/\/$/, '') }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle: pathStyle === 'true' }),
  };
}

/** The address by which readers find the tables of a bucket. */
export function addressOf({ bucket, prefix }: Bucket): string {
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
}

/**
 * What makes two destinations one, whatever machine they are named on: of a bucket neither its region nor the style
 * of its requests. A folder is its host's.
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

/** For messages: without what may be a secret by mistake. */
export function shownDestination(text: string): string {
  return text.replace(/\/\/[^/?]*@/, '//…@').replace(/\?[^]*$/, '?…');
}
