import { UsageError } from '../errors.ts';
import { checkedBaseUrl, defaultBaseUrl } from '../incident-io/base-url.ts';
import { withSuggestion } from '../nearest.ts';
import { keepSecret } from '../secrets.ts';
import { checkedKey } from '../settings/key.ts';
import { type PersonalChoice, personalChoices } from '../settings/settings.ts';
import { destinationOf } from '../warehouse/store/destination.ts';

/** The configuration that a platform gives the source. */
export type PlatformConfig = {
  readonly apiKey: string;
  readonly baseUrl: string;
  /** Where the tables are kept, as `destinationOf` gives it; `undefined` for a scratch folder. */
  readonly warehouse: string | undefined;
  /** Whether nested values are JSON or text. */
  readonly json: 'native' | 'text';
  /** How deleted rows are reported to a Singer target. */
  readonly singerDeletes: 'tombstones' | 'snapshot';
  /** How columns with personal data are treated. */
  readonly personal: PersonalChoice;
  /** The hash key; only for `hash`. */
  readonly hashKey: string | undefined;
};

/** A property of the config as platforms show it in their forms. JSON Schema, draft 7. */
type Property = {
  readonly title: string;
  readonly description: string;
  readonly type: 'string' | 'object';
  readonly order: number;
  readonly airbyte_secret?: true;
  readonly enum?: readonly string[];
  readonly default?: string;
  readonly examples?: readonly string[];
  readonly properties?: { readonly [name: string]: Property };
};

/** Said wherever people decide about `warehouse`. */
export const withoutWarehouse =
  'Without it, nothing is kept between reads: rows deleted in incident.io are not deleted downstream, and tables that cannot be read by their changes are loaded whole each time.';

const s3: { readonly [name: string]: Property } = {
  access_key_id: {
    title: 'Access key ID',
    description: 'If left out, the AWS SDK finds the credentials in its usual places.',
    type: 'string',
    order: 0,
  },
  secret_access_key: {
    title: 'Secret access key',
    description: 'Belongs to the access key ID.',
    type: 'string',
    order: 1,
    airbyte_secret: true,
  },
  region: {
    title: 'Region',
    description: 'Region of the bucket, such as eu-west-1.',
    type: 'string',
    order: 2,
  },
  endpoint: {
    title: 'Endpoint',
    description: 'Address of a store other than AWS, such as https://minio.example:9000.',
    type: 'string',
    order: 3,
  },
};

const properties: { readonly [name: string]: Property } = {
  api_key: {
    title: 'API key',
    description:
      'An API key of your incident.io account, made under Settings → API keys with the view scope of each resource that you want to load.',
    type: 'string',
    order: 0,
    airbyte_secret: true,
  },
  warehouse: {
    title: 'Place of the tables',
    description: `Where the source keeps its Delta tables between reads: a folder that outlives the read, or a bucket: s3://bucket/prefix, gs://bucket/prefix or abfss://container@account.dfs.core.windows.net/prefix. Credentials of Google Cloud and Azure are found as their own tools find them. ${withoutWarehouse}`,
    type: 'string',
    order: 1,
    examples: ['s3://my-bucket/incident-io'],
  },
  s3: {
    title: 'Access to S3',
    description: 'Only if the place of the tables is a bucket.',
    type: 'object',
    order: 2,
    properties: s3,
  },
  json: {
    title: 'Nested values',
    description: 'native: as JSON objects and lists. text: as JSON text, as in the Delta tables.',
    type: 'string',
    order: 3,
    enum: ['native', 'text'],
    default: 'native',
  },
  singer_deletes: {
    title: 'Deletes for Singer targets',
    description:
      'Only for Singer. tombstones: each deleted row is sent with _sdc_deleted_at. snapshot: a table with deleted rows is sent whole, followed by ACTIVATE_VERSION.',
    type: 'string',
    order: 4,
    enum: ['tombstones', 'snapshot'],
    default: 'tombstones',
  },
  personal: {
    title: 'Personal data',
    description:
      'How columns that hold or may hold data about a person are treated. hash: text is hashed with the hash key, so that it still joins; nested values are left out. leave_out: such columns stay empty.',
    type: 'string',
    order: 5,
    enum: personalChoices,
    default: 'keep',
  },
  hash_key: {
    title: 'Hash key',
    description:
      'Only for hash: a text of 32 characters or more that you keep, such as the output of openssl rand -hex 32. With another key every hash changes.',
    type: 'string',
    order: 6,
    airbyte_secret: true,
  },
  base_url: {
    title: 'Address of the API',
    description: 'Another address of the API, such as a sandbox.',
    type: 'string',
    order: 7,
    default: defaultBaseUrl,
  },
};

/** The JSON Schema of the config. Platforms add properties of their own. */
export const configSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'incident.io',
  type: 'object',
  required: ['api_key'],
  additionalProperties: true,
  properties,
} as const;

/**
 * The config in a platform's JSON. Credentials of a bucket are put where the AWS SDK looks for them.
 * Throws `UsageError`, and `KeyMissingError` if there is no API key.
 */
export function configOf(value: unknown): PlatformConfig {
  const config = objectOf(value, 'The config');
  const { api_key: apiKey, base_url: baseUrl, warehouse } = config;
  const bucket = config['s3'] === undefined ? {} : objectOf(config['s3'], 's3 in the config');
  const text = optionalText(warehouse, 'warehouse');
  useCredentials(bucket);
  const personal = oneOf(config, 'personal', personalChoices);
  const hashKey = optionalText(config['hash_key'], 'hash_key');
  if ((personal === 'hash') !== (hashKey !== undefined)) {
    throw new UsageError(
      personal === 'hash'
        ? 'hash_key is missing in the config: personal is hash.'
        : 'hash_key in the config goes with personal: hash only.',
      'Give both personal: hash and hash_key, or neither.',
    );
  }
  if (hashKey !== undefined) keepSecret(hashKey);
  return {
    apiKey: checkedKey(optionalText(apiKey, 'api_key'), 'the field api_key'),
    baseUrl: checkedBaseUrl(optionalText(baseUrl, 'base_url') ?? defaultBaseUrl),
    warehouse: text === undefined ? undefined : destinationOf(withParameters(text, bucket)),
    json: oneOf(config, 'json', ['native', 'text']),
    singerDeletes: oneOf(config, 'singer_deletes', ['tombstones', 'snapshot']),
    personal,
    hashKey,
  };
}

type Fields = { readonly [field: string]: unknown };

function objectOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new UsageError(`${what} is not a JSON object.`, 'See `spec` for its fields.');
}

/** An empty text counts as none: forms send it for a field that was cleared. */
function optionalText(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new UsageError(`${field} in the config is not text.`, 'See `spec` for its fields.');
}

function oneOf<T extends string>(config: Fields, field: string, values: readonly [T, ...T[]]): T {
  const text = optionalText(config[field], field) ?? values[0];
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `${field} in the config is ${JSON.stringify(text)}.`,
    withSuggestion(text, values, `Use ${values.join(' or ')}.`),
  );
}

function useCredentials(bucket: Fields): void {
  const id = optionalText(bucket['access_key_id'], 's3.access_key_id');
  const secret = optionalText(bucket['secret_access_key'], 's3.secret_access_key');
  if (secret !== undefined) keepSecret(secret);
  if (id !== undefined) process.env['AWS_ACCESS_KEY_ID'] = id;
  if (secret !== undefined) process.env['AWS_SECRET_ACCESS_KEY'] = secret;
}

/** A bucket's address with the region and the endpoint of the config, unless it has its own. */
function withParameters(place: string, bucket: Fields): string {
  if (!place.startsWith('s3://')) return place;
  const [address = '', query = ''] = place.split('?');
  const parameters = new URLSearchParams(query);
  for (const name of ['region', 'endpoint']) {
    const text = optionalText(bucket[name], `s3.${name}`);
    if (text !== undefined && !parameters.has(name)) parameters.set(name, text);
  }
  const list = [...parameters].map(([name, value]) => `${name}=${value}`);
  return list.length === 0 ? address : `${address}?${list.join('&')}`;
}
