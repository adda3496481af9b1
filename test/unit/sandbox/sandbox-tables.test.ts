import { expect, it, onTestFinished } from 'vitest';
import { type Happening, lifeOf } from '../../../src/sandbox/life.ts';
import {
  type ApiRecord,
  type Sandbox,
  type SandboxOptions,
  sandboxSizes,
  startSandbox,
} from '../../../src/sandbox/sandbox.ts';
import { tables } from '../../../src/tables/index.ts';
import { defineTable, type Table } from '../../../src/tables/table.ts';

const reviews = defineTable({
  name: 'reviews',
  description: 'One row is a review of an incident.',
  group: 'Incidents',
  path: '/v7/reviews',
  records: 'incident_reviews',
  scope: 'reviews.view',
  paging: { kind: 'pages', pageSize: 40 },
  reveals: [
    { param: 'state[one_of]', values: ['open', 'done', 'dropped'] },
    { param: 'include_drafts', values: ['true'] },
  ],
  passes: {
    param: 'incident_mode',
    values: ['standard', 'retrospective', 'test', 'tutorial'],
    column: 'incident_mode',
  },
  filters: {
    updated_at: { granularity: 'millisecond', verified: true },
    created_at: { granularity: 'day', verified: true },
  },
  incremental: { by: ['updated_at'], fullReadEvery: '24h' },
  splitBy: 'created_at',
  counted: true,
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the review.' },
    incident_id: { type: 'text', required: true, description: 'Joins incidents.id.' },
    incident_mode: { type: 'text', description: 'Mode of its incident.' },
    state: { type: 'text', required: true, description: 'State: open, done or dropped.' },
    kind: { type: 'text', required: true, description: 'How it was held: meeting, written or none.' },
    title: { type: 'text', required: true, description: 'Title of the review.' },
    lead_id: { type: 'text', description: 'Joins users.id.', from: ['lead', 'id'] },
    lead: { type: 'json', required: true, description: 'Who leads it.' },
    creator_user_id: { type: 'text', description: 'Joins users.id.', from: ['creator', 'user', 'id'] },
    creator_alert_id: { type: 'text', description: 'Joins alerts.id.', from: ['creator', 'alert', 'id'] },
    creator: { type: 'json', required: true, description: 'Who created it: one of user and alert.' },
    user_ids: { type: 'json', required: true, description: 'List of the ids of the users who took part.' },
    score: { type: 'double', description: 'Score.' },
    position: { type: 'bigint', description: 'Position.' },
    is_public: { type: 'boolean', description: 'Whether it is public.' },
    ends_at: { type: 'timestamp', description: 'When it ends.' },
    created_at: { type: 'timestamp', required: true, description: 'When it was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When it last changed.' },
  },
});

const reviewers = defineTable({
  name: 'reviewers',
  description: 'One row is a user who reviews an incident.',
  group: 'Incidents',
  path: '/v7/reviewers',
  records: 'reviewers',
  paging: { kind: 'single' },
  primaryKey: ['incident_id', 'user_id'],
  columns: {
    incident_id: { type: 'text', description: 'Joins incidents.id.' },
    user_id: { type: 'text', description: 'Joins users.id.', from: ['user', 'id'] },
    user: { type: 'json', required: true, description: 'The user.' },
    note: { type: 'text', description: 'What the user thinks.' },
  },
});

const sizes = { incidents: 30, users: 8, reviews: 150, reviewers: 60, alerts: 20 };
const everything = 'state[one_of]=open&state[one_of]=done&state[one_of]=dropped&include_drafts=true';

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({
    tables: [...tables, reviews, reviewers],
    sizes,
    limits: 'off',
    now: () => Date.parse('2026-11-20T12:00:00Z'),
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

async function ask(sandbox: Sandbox, path: string, key = sandbox.key) {
  const response = await fetch(sandbox.url + path, { headers: { authorization: `Bearer ${key}` } });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

/** Every row of all pages and, as the list takes one mode per request, of all modes. */
async function readReviews(
  sandbox: Sandbox,
  query: string,
  modes: readonly string[] = reviews.passes.values,
): Promise<ApiRecord[]> {
  const rows: ApiRecord[] = [];
  for (const mode of modes) {
    for (let after = ''; ;) {
      const path = `/v7/reviews?page_size=40&incident_mode=${mode}&${query}${after}`;
      const { status, body } = await ask(sandbox, path);
      expect(status).toBe(200);
      const { incident_reviews: found, pagination_meta: meta } = body as unknown as {
        incident_reviews: ApiRecord[];
        pagination_meta: { after?: string };
      };
      rows.push(...found);
      if (meta.after === undefined) break;
      after = `&after=${encodeURIComponent(meta.after)}`;
    }
  }
  return rows;
}

const sorted = (rows: readonly ApiRecord[]) =>
  rows.toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])));

it('serves a declared table by its path, response key, page size, count and scope', async () => {
  const sandbox = await start();
  const all = [...sandbox.records('reviews')];
  expect(all).toHaveLength(150);
  expect(sorted(await readReviews(sandbox, everything))).toEqual(sorted(all));

  const { body } = await ask(sandbox, `/v7/reviews?page_size=3&incident_mode=standard&${everything}`);
  const standard = await readReviews(sandbox, everything, ['standard']);
  expect(body['pagination_meta']).toMatchObject({ page_size: 3, total_record_count: standard.length });
  expect((await ask(sandbox, '/v7/reviews?page_size=41')).status).toBe(422);
  expect((await ask(sandbox, '/v7/reviews?unknown=1')).status).toBe(422);
  const key = sandbox.addKey({ scopes: ['users.view'] });
  expect(await ask(sandbox, '/v7/reviews', key)).toMatchObject({
    status: 403,
    body: { errors: [{ metadata: { scope: 'reviews.view' } }] },
  });
});

it('generates the same rows from the same seed, and the same values when a column is added', async () => {
  const rowsOf = async (options: SandboxOptions) => [...(await start(options)).records('reviews')];
  const first = await rowsOf({});
  expect(await rowsOf({})).toEqual(first);
  expect(await rowsOf({ seed: 2 })).not.toEqual(first);
  const wider: Table = {
    ...reviews,
    columns: { place: { type: 'text', required: true, description: 'Where.' }, ...reviews.columns },
  };
  const wide = await rowsOf({ tables: [...tables, wider, reviewers] });
  expect(wide).toEqual(first.map((row) => ({ ...row, place: expect.any(String) as string })));
});

it('fills every column by its type, with values the description lists, and joins', async () => {
  const sandbox = await start();
  const idsOf = (table: string) => new Set([...sandbox.records(table)].map(({ id }) => id));
  const [incidents, users, alerts] = [idsOf('incidents'), idsOf('users'), idsOf('alerts')];
  const rows = [...sandbox.records('reviews')] as (ApiRecord & {
    lead: { id: string; name: string };
    creator: { user?: { id: string }; alert?: { id: string } };
    user_ids: string[];
  })[];
  for (const row of rows) {
    expect(incidents).toContain(row['incident_id']);
    expect(users).toContain(row.lead.id);
    expect(row.lead.name).toMatch(/^\S+ \S+$/);
    expect(Object.keys(row.creator)).toHaveLength(1);
    expect([...users, ...alerts]).toContain((row.creator.user ?? row.creator.alert)?.id);
    for (const id of row.user_ids) expect(users).toContain(id);
    expect(['meeting', 'written', 'none']).toContain(row['kind']);
    expect(Date.parse(String(row['updated_at']))).toBeGreaterThanOrEqual(
      Date.parse(String(row['created_at'])),
    );
    expect(row).not.toHaveProperty('incident_mode');
    expect(row).not.toHaveProperty('lead_id');
  }
  const typesOf = (column: string) => new Set(rows.map((row) => typeof (row[column] ?? undefined)));
  expect(['score', 'position', 'is_public', 'ends_at'].map((column) => typesOf(column))).toEqual([
    new Set(['number', 'undefined']),
    new Set(['number', 'undefined']),
    new Set(['boolean', 'undefined']),
    new Set(['string', 'undefined']),
  ]);
});

it('filters by the declared timestamps, each at its own granularity', async () => {
  const sandbox = await start();
  const all = [...sandbox.records('reviews')];
  const by = (column: string, keep: (ms: number) => boolean) =>
    sorted(all.filter((row) => keep(Date.parse(String(row[column])))));
  const since = '2025-12-24T10:00:00.000Z';
  expect(sorted(await readReviews(sandbox, `updated_at[gte]=${since}&${everything}`))).toEqual(
    by('updated_at', (ms) => ms >= Date.parse(since)),
  );
  expect(by('updated_at', (ms) => ms >= Date.parse(since)).length).toBeGreaterThan(10);
  const range = 'created_at[date_range]=2025-01-01~2025-03-31';
  expect(sorted(await readReviews(sandbox, `${range}&${everything}`))).toEqual(
    by('created_at', (ms) => ms >= Date.parse('2025-01-01') && ms < Date.parse('2025-04-01')),
  );
});

it('hides rows until the declared parameters reveal them, and serves a pass by the mode of the incident', async () => {
  const sandbox = await start();
  const all = [...sandbox.records('reviews')];
  const shown = await readReviews(sandbox, 'include_drafts=true');
  expect(shown).toEqual(
    await readReviews(sandbox, 'include_drafts=true&state[one_of]=open&state[one_of]=done'),
  );
  expect(new Set(shown.map((row) => row['state']))).toEqual(new Set(['open', 'done']));
  const withoutDrafts = await readReviews(sandbox, everything.replace('true', 'false'));
  expect(withoutDrafts.length).toBeGreaterThan(0);
  expect(withoutDrafts.length).toBeLessThan(all.length);

  const modes = new Map([...sandbox.records('incidents')].map(({ id, mode }) => [id, mode]));
  const [review] = await readReviews(sandbox, everything, ['test']);
  expect(modes.get(review!['incident_id'])).toBe('test');
  sandbox.change('incidents', String(review!['incident_id']), { mode: 'tutorial' });
  expect(await readReviews(sandbox, everything, ['tutorial'])).toContainEqual(review);
  sandbox.change('reviews', String(review!['id']), { state: 'dropped' });
  expect(await readReviews(sandbox, 'include_drafts=true', ['tutorial'])).not.toContainEqual(
    expect.objectContaining({ id: review!['id'] }),
  );
});

it('serves a list without pages or scope, whose key is a pair of ids, each pair once', async () => {
  const sandbox = await start();
  const rows = [...sandbox.records('reviewers')] as (ApiRecord & { user: { id: string } })[];
  const key = sandbox.addKey({ scopes: [] });
  expect((await ask(sandbox, '/v7/reviewers', key)).body).toEqual({ reviewers: rows });
  const pairs = rows.map(({ incident_id, user }) => `${String(incident_id)}/${user.id}`);
  expect(new Set(pairs).size).toBe(60);
  expect(pairs).toEqual(rows.map((row) => sandbox.idOf('reviewers', row)));
  const users = new Set([...sandbox.records('users')].map(({ id }) => id));
  expect(rows.filter(({ user }) => !users.has(user.id))).toEqual([]);
  expect(new Set(rows.map(({ user }) => user.id)).size).toBeGreaterThan(4);

  sandbox.change('reviewers', pairs[3]!, { note: 'changed' });
  sandbox.remove('reviewers', pairs[4]!);
  const made = sandbox.create('reviewers');
  expect(pairs).not.toContain(sandbox.idOf('reviewers', made));
  expect((await ask(sandbox, '/v7/reviewers')).body['reviewers']).toEqual([
    ...rows.slice(0, 3),
    { ...rows[3], note: 'changed' },
    ...rows.slice(5),
    made,
  ]);
});

it('has no more pairs than there are rows to pair, and no rows that need another which does not exist', async () => {
  const few = await start({ sizes: { ...sizes, incidents: 3, users: 2, reviewers: 60 } });
  expect([...few.records('reviewers')]).toHaveLength(6);
  const empty = await start({ sizes: { ...sandboxSizes.empty, reviews: 150, reviewers: 60 } });
  expect([...empty.records('reviews'), ...empty.records('reviewers')]).toEqual([]);
});

it('hides the rows of private incidents from a key without global access', async () => {
  const sandbox = await start();
  const id = [...sandbox.records('reviews')][0]!['incident_id'];
  sandbox.change('incidents', String(id), { visibility: 'private' });
  const key = sandbox.addKey({ identity: { roles: ['viewer'] } });
  const seen = [...sandbox.records('reviews', key)].map(({ incident_id }) => incident_id);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen).not.toContain(id);
});

it('lets the rows live, and fails their requests, as those of any other table', async () => {
  const sandbox = await start();
  const happened: Happening[] = [];
  const step = lifeOf(sandbox, {
    seed: 1,
    tables: ['reviews', 'reviewers'],
    onStep: (happening) => happened.push(happening),
  });
  for (let steps = 0; steps < 200; steps += 1) step();
  for (const table of ['reviews', 'reviewers']) {
    const kinds = new Set(happened.filter((one) => one.table === table).map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['change', 'create', 'silent', 'remove']));
    const rows = [...sandbox.records(table)];
    const last = new Map(happened.filter((one) => one.table === table).map((one) => [one.id, one.record]));
    const byId = new Map(rows.map((row) => [sandbox.idOf(table, row), row]));
    for (const [id, record] of last) expect(byId.get(id)).toEqual(record);
  }
  sandbox.fault({ fault: { kind: 'error', status: 503 }, table: 'reviewers' });
  expect((await ask(sandbox, '/v7/reviewers')).status).toBe(503);
  expect((await ask(sandbox, '/v7/reviews')).status).toBe(200);
  expect(sandbox.requests.map(({ table }) => table)).toEqual(['reviewers', 'reviews']);
});

it('limits the rate of a list as declared', async () => {
  const limited: Table = { ...reviewers, bucket: { capacity: 2, perSecond: 1 } };
  const sandbox = await start({
    tables: [limited],
    sizes: {},
    limits: { all: { capacity: 9, perSecond: 1 }, incidents: { capacity: 9, perSecond: 1 } },
  });
  const statuses = [];
  for (let asked = 0; asked < 3; asked += 1) statuses.push((await ask(sandbox, '/v7/reviewers')).status);
  expect(statuses).toEqual([200, 200, 429]);
});

it('refuses sizes of tables that do not exist or have a fixed list', async () => {
  await expect(start({ sizes: { reviwes: 1 } })).rejects.toThrow(RangeError);
  await expect(start({ sizes: { severities: 1 } })).rejects.toThrow(RangeError);
  await expect(start({ sizes: { reviews: 1.5 } })).rejects.toThrow(RangeError);
  const sandbox = await start();
  expect(() => sandbox.create('reviwes')).toThrow(RangeError);
});
