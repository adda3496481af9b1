import { resolve } from 'node:path';

import { UsageError } from '../../errors.ts';

type Place = {
  /** In Azure, the container. */
  readonly bucket: string;
  /** Empty for the whole bucket; has no slash at either end. */
  readonly prefix: string;
  /** Only for a store other than the cloud itself. */
  readonly endpoint: string | undefined;
};

/** Where tables are in an S3 bucket, and how to reach the store if the environment does not say so. */
export type S3Address = Place & {
  readonly cloud: 's3';
  readonly region: string | undefined;
  /** Whether the bucket is part of a request's path, not of its host name. */
  readonly pathStyle: boolean | undefined;
};

export type GcsAddress = Place & { readonly cloud: 'gcs' };

export type AzureAddress = Place & {
  readonly cloud: 'azure';
  readonly account: string;
  /** What the host names of the account's cloud end with: `core.windows.net` for all but the national ones. */
  readonly domain: string;
};

export type BucketAddress = S3Address | GcsAddress | AzureAddress;

/** How a bucket is named, for short texts. */
export const anyBucket = 's3://…, gs://… or abfss://…';

/** How a bucket is named, in full. */
export const bucketForms =
  's3://bucket/prefix, gs://bucket/prefix or abfss://container@account.dfs.core.windows.net/prefix';

export const destinationTakes = `it takes the path of a folder, or ${bucketForms}; with ?endpoint=… (s3 also &region=…&pathStyle=true) for a store other than AWS, Google Cloud or Azure`;

/** The beginnings of the URLs of buckets. */
const schemes = ['s3', 'gs', 'abfss', 'az'] as const;
type Scheme = (typeof schemes)[number];

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
      `Name a folder, or a bucket as ${bucketForms}.`,
    );
  }
  const at = bucketOf(text);
  if (at === undefined) return resolve(folder, text);
  const { endpoint } = at;
  const { pathStyle, region } = at.cloud === 's3' ? at : {};
  const parameters = Object.entries({ endpoint, pathStyle, region })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  return `${addressOf(at)}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

/** Why a text is not a destination; `undefined` if it is one. */
export function problemOfDestination(text: string): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(text)?.[1];
  if (scheme === undefined) {
    // `s3:/bucket` would be a folder of that name, but a bucket is meant.
    const isFolder = text !== '' && !text.includes('\0') && !/^(s3|gs|abfss|az):/i.test(text);
    if (!isFolder) return destinationTakes;
    return /[*?]/.test(resolve(text))
      ? 'its path contains * or ?, which readers treat as a pattern'
      : undefined;
  }
  const known = schemes.find((one) => one === scheme);
  if (known === undefined) return destinationTakes;
  const { user, host, bucket, prefix, parameters } = partsOf(text);
  if ((user !== undefined && known !== 'abfss') || user?.includes(':')) {
    return 'credentials do not belong in it: they are found the way the tools of the cloud find them';
  }
  const problem = problemOfBucket(known, host, user ?? bucket);
  if (problem !== undefined) return problem;
  const folders = prefix.replace(/^\/|\/$/g, '').split('/');
  if ((folders.length > 1 && folders.includes('')) || folders.some((name) => name === '.' || name === '..')) {
    return 'its prefix has an empty part, . or ..';
  }
  return problemOfParameters(
    parameters,
    scheme === 's3' ? ['endpoint', 'region', 'pathStyle'] : ['endpoint'],
  );
}

const accountHost = /^(?<account>[a-z0-9]{3,24})\.dfs\.(?<domain>core\.[a-z0-9.-]+)$/;
const azureForms = 'abfss://container@account.dfs.core.windows.net/prefix or az://account/container/prefix';

function problemOfBucket(scheme: Scheme, host: string, container: string): string | undefined {
  if (scheme === 's3' || scheme === 'gs') {
    // In Google Cloud, names with dots may be longer.
    const name =
      scheme === 's3'
        ? /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/
        : /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
    return name.test(host)
      ? undefined
      : `it does not name a bucket: 3 to 63 letters, digits, dots and hyphens after ${scheme}://`;
  }
  if (scheme === 'abfss' ? !accountHost.test(host) : !/^[a-z0-9]{3,24}$/.test(host)) {
    return `it does not name a storage account, of 3 to 24 lower-case letters and digits: ${azureForms}`;
  }
  return /^[a-z0-9](-?[a-z0-9]){2,62}$/.test(container)
    ? undefined
    : `it does not name a container, of 3 to 63 lower-case letters, digits and hyphens: ${azureForms}`;
}

type Parameter = 'endpoint' | 'region' | 'pathStyle';

function problemOfParameters(
  parameters: readonly (readonly [string, string])[],
  allowed: readonly Parameter[],
): string | undefined {
  for (const [name, value] of parameters) {
    const known = allowed.find((one) => one === name);
    if (known === undefined) return `it has no parameter ${name}, only ${allowed.join(', ')}`;
    if (!parameterTakes[known].pattern.test(value)) return `${name} takes ${parameterTakes[known].what}`;
  }
  return undefined;
}

const parameterTakes: {
  readonly [P in Parameter]: { readonly pattern: RegExp; readonly what: string };
} = {
  endpoint: {
    pattern: /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?\/?$|^https?:\/\/\[[0-9A-Fa-f:]+\](:\d+)?\/?$/,
    what: 'the address of the store, such as https://minio.example:9000',
  },
  region: { pattern: /^[A-Za-z0-9-]+$/, what: 'the name of a region' },
  pathStyle: { pattern: /^(true|false)$/, what: 'true or false' },
};

/** The bucket of a valid destination; `undefined` for a folder. */
export function bucketOf(destination: string): BucketAddress | undefined {
  const { scheme, user, host, bucket, prefix, parameters } = partsOf(destination);
  const { endpoint: given, region, pathStyle } = Object.fromEntries(parameters);
  const trimmed = prefix.replace(/^\/|\/$/g, '');
  const endpoint = given?.replace(/\/$/, '');
  switch (scheme) {
    case 's3':
      return {
        cloud: 's3',
        bucket: host,
        prefix: trimmed,
        endpoint,
        region,
        pathStyle: pathStyle === undefined ? undefined : pathStyle === 'true',
      };
    case 'gs':
      return { cloud: 'gcs', bucket: host, prefix: trimmed, endpoint };
    case 'abfss': {
      const { account, domain } = accountHost.exec(host)!.groups as { account: string; domain: string };
      return { cloud: 'azure', account, domain, bucket: user!, prefix: trimmed, endpoint };
    }
    case 'az':
      return { cloud: 'azure', account: host, domain: 'core.windows.net', bucket, prefix: trimmed, endpoint };
    case undefined:
      return undefined;
  }
}

/** The address where readers find the tables of a bucket. */
export function addressOf(at: BucketAddress): string {
  return `${rootOf(at)}${at.prefix === '' ? '' : `/${at.prefix}`}`;
}

/** The address of a whole bucket, which with `/` and a name is the address of an object. */
export function rootOf(at: BucketAddress): string {
  if (at.cloud === 'azure') return `abfss://${at.bucket}@${at.account}.dfs.${at.domain}`;
  return `${at.cloud === 's3' ? 's3' : 'gs'}://${at.bucket}`;
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

/** What a destination shares with its neighbours: the host of a folder, or the bucket. */
export function siteOf(destination: string, host: string): string {
  const bucket = bucketOf(destination);
  if (bucket === undefined) return host;
  return `${rootOf(bucket)}${bucket.endpoint === undefined ? '' : ` at ${bucket.endpoint}`}`;
}

type Parts = {
  readonly scheme: Scheme | undefined;
  readonly user: string | undefined;
  readonly host: string;
  /** The first part of the path, if it is the bucket. */
  readonly bucket: string;
  readonly prefix: string;
  readonly parameters: [string, string][];
};

function partsOf(text: string): Parts {
  const [, named, authority = '', path = '', query = ''] =
    /^([a-z0-9]+):\/\/([^/?]*)([^?]*)\??([^]*)$/.exec(text) ?? [];
  const scheme = schemes.find((one) => one === named);
  const at = authority.lastIndexOf('@');
  const parts = {
    scheme,
    user: at < 0 ? undefined : authority.slice(0, at),
    host: authority.slice(at + 1),
    parameters: [...new URLSearchParams(query)],
  };
  if (scheme !== 'az') return { ...parts, bucket: '', prefix: path };
  const [, bucket = '', prefix = ''] = /^\/?([^/]*)(.*)$/s.exec(path) ?? [];
  return { ...parts, bucket, prefix };
}

/** A destination for messages: without the parts that may hold a secret by mistake. */
export function shownDestination(text: string): string {
  const container = /^abfss:\/\/[a-z0-9-]{3,63}@(?![^/]*@)/;
  const shown = container.test(text) ? text : text.replace(/\/\/[^/?]*@/, '//…@');
  return shown.replace(/\?[^]*$/, '?…');
}
