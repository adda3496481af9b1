import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { looksSecret } from '../../../src/records/secret-names.ts';
import { Secrets } from '../../../src/records/secrets.ts';
import { knownFields } from '../../../src/records/rows.ts';
import { tables } from '../../../src/tables/index.ts';

it.each([
  'secret',
  'secret_token',
  'client_secret',
  'clientSecret',
  'token',
  'access-token',
  'refreshTokens',
  'password',
  'db_password_hash',
  'passphrase',
  'credentials',
  'signing_key',
  'private_key',
  'privateKey',
  'apikey',
  'x_api_key',
  'Authorization',
  'session_cookie',
  'webhook_url',
  'outgoing_webhook_target_url',
])('the text in a field called %s is taken for a secret', (field) => {
  expect(looksSecret(field, 'x')).toBe(true);
  expect(looksSecret(field, ['x'])).toBe(true);
});

it.each([
  'sort_key',
  'key',
  'deduplication_key',
  'idempotency_key',
  'grouping_keys',
  'token_last_issued_at',
  'secret_id',
  'password_policy',
  'credential_type',
  'secretary',
  'tokenizer',
  'webhook_delivery_state',
  'webhook_name',
  'call_url',
  'author',
  'passed',
])('the text in a field called %s is not', (field) => {
  expect(looksSecret(field, 'x')).toBe(false);
});

it.each([5, true, null, ''])('%j is never one, whatever its field is called', (value) => {
  expect(looksSecret('secret_token', value)).toBe(false);
});

it('the API’s api_key is an actor with a name', () => {
  expect(looksSecret('api_key', { id: 'a', name: 'CI' })).toBe(false);
  expect(looksSecret('credentials', { user: 'a', value: 'b' })).toBe(true);
});

it.each(tables)('no field in the vendor’s reference of $name is mistaken for one', (table) => {
  const reference = new URL(`../../fixtures/api-reference/${table.name}.json`, import.meta.url);
  const { columns } = JSON.parse(readFileSync(reference, 'utf8')) as {
    columns: { [field: string]: { paths?: string[] } };
  };
  const withheld = new Set<string>();
  for (const [field, { paths = [] }] of Object.entries(columns)) {
    for (const path of paths) {
      const value = path.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), 'text');
      new Secrets(table, knownFields(table)).cutFrom({ [field]: value }, withheld);
    }
  }
  expect([...withheld]).toEqual([]);
});
