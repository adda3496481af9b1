import { afterAll, beforeAll, expect, it } from 'vitest';
import { CredentialsError } from '../../../src/errors.ts';
import { createClient } from '../../../src/incident-io/client.ts';
import { readPermissions } from '../../../src/incident-io/permissions.ts';
import { type Sandbox, sandboxTables, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';

const tables = sandboxTables.map(tableNamed);
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ limits: 'off' });
});
afterAll(() => sandbox.stop());

function permissionsOf(key: string) {
  const client = createClient({ apiKey: key, baseUrl: sandbox.url });
  return readPermissions(client, tables, { signal: AbortSignal.timeout(30_000) });
}

it('finds that a key with every scope may read every table, with one small request for each list', async () => {
  const before = sandbox.requests.length;
  const permissions = await permissionsOf(sandbox.key);
  expect(permissions.map(({ table, allowed }) => [table, allowed])).toEqual(
    tables.map(({ name }) => [name, true]),
  );
  const asked = sandbox.requests.slice(before);
  // Of the tables that are read parent by parent, those whose scope no list has are asked for by a first parent.
  const lists = tables.filter(({ parent }) => !parent);
  const scopes = new Set(lists.map(({ scope }) => scope));
  const alone = new Set(tables.map(({ scope }) => scope).filter((scope) => !scopes.has(scope)));
  expect(asked).toHaveLength(lists.length + 2 * alone.size);
  const names = new Set(asked.map(({ table }) => table));
  for (const { name } of lists) expect(names).toContain(name);
  expect(asked.every(({ status }) => status === 200)).toBe(true);
  const paged = asked.filter(({ url }) => url.includes('page_size'));
  expect(paged.every(({ url }) => /[?&]page_size=1(?:&|$)/.test(url))).toBe(true);
});

it('names the missing scope, and one table does not affect another', async () => {
  const scopes = ['incidents.view', 'severities.view'];
  const key = sandbox.addKey({ scopes });
  const permissions = await permissionsOf(key);
  const allowed = permissions.filter((permission) => permission.allowed).map(({ table }) => table);
  const readable = tables.filter(({ scope }) => scope === undefined || scopes.includes(scope));
  expect(allowed).toEqual(readable.map(({ name }) => name));
  expect(permissions).toContainEqual({
    table: 'follow_ups',
    allowed: false,
    scope: 'actions.view',
    message: expect.stringContaining('403') as string,
  });
});

it('reports a table that cannot be read for another reason, without a scope', async () => {
  const mend = sandbox.fault({ fault: { kind: 'error', status: 500 }, table: 'alerts' });
  try {
    const permissions = await permissionsOf(sandbox.key);
    expect(permissions.filter((permission) => !permission.allowed)).toEqual([
      { table: 'alerts', allowed: false, message: expect.stringContaining('500') as string },
    ]);
  } finally {
    mend();
  }
});

it('throws if the key is wrong, because that affects all tables', async () => {
  await expect(permissionsOf('wrong-key')).rejects.toBeInstanceOf(CredentialsError);
});
