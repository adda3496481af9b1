import { afterEach, describe, expect, it } from 'vitest';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts';

const noon = Date.parse('2026-11-20T12:00:00.5Z');
const small = {
  incidents: 300,
  incident_updates: 500,
  follow_ups: 400,
  alerts: 200,
  escalations: 60,
  users: 60,
  schedules: 30,
};
const allCategories = ['triage', 'live', 'learning', 'paused', 'closed', 'declined', 'canceled', 'merged'];
const allModes = ['standard', 'retrospective', 'test', 'tutorial'];
const everything = [
  ...allCategories.map((category) => `status_category[one_of]=${category}`),
  ...allModes.map((mode) => `mode[one_of]=${mode}`),
].join('&');

type Row = Record<string, unknown> & { id: string; updated_at: string; created_at: string };
type Page = {
  pagination_meta: { after?: string; page_size: number; total_record_count?: number };
} & Record<string, Row[]>;

let running: Sandbox | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  running = await startSandbox({ limits: 'off', now: () => noon, sizes: small, ...options });
  return running;
}

async function ask(sandbox: Sandbox, path: string, key = sandbox.key): Promise<Response> {
  return fetch(sandbox.url + path, { headers: { Authorization: `Bearer ${key}` }, redirect: 'manual' });
}

async function page(sandbox: Sandbox, path: string, key?: string): Promise<Page> {
  const response = await ask(sandbox, path, key);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

async function problem(sandbox: Sandbox, path: string, key?: string) {
  const response = await ask(sandbox, path, key);
  const body = (await response.json()) as {
    type: string;
    status: number;
    request_id: string;
    errors: { code: string; metadata?: { scope: string }; source?: { field: string } }[];
  };
  expect(body.status).toBe(response.status);
  expect(body.request_id).toMatch(/./);
  return { status: body.status, type: body.type, ...body.errors[0] };
}

/** Reads to the end as a client should: until a page has no `after`. */
async function readAll(sandbox: Sandbox, table: string, path: string, key?: string): Promise<Row[]> {
  const rows: Row[] = [];
  const join = path.includes('?') ? '&' : '?';
  for (let after: string | undefined; ;) {
    const found = await page(sandbox, after === undefined ? path : `${path}${join}after=${after}`, key);
    rows.push(...(found[table] ?? []));
    after = found.pagination_meta.after;
    if (after === undefined) return rows;
  }
}

describe('keys', () => {
  it('answers a missing key and a wrong key differently', async () => {
    const sandbox = await start();
    const none = await fetch(`${sandbox.url}/v1/severities`);
    expect(none.status).toBe(401);
    expect(await none.json()).toMatchObject({ errors: [{ code: 'missing_authorization_material' }] });
    expect(await problem(sandbox, '/v1/severities', 'other')).toMatchObject({
      status: 401,
      type: 'authentication_error',
      code: 'unauthenticated',
    });
  });

  it('names the scope a key lacks, and lets the key read the other lists', async () => {
    const sandbox = await start();
    const key = sandbox.addKey({ scopes: ['severities.view'] });
    expect(await problem(sandbox, '/v2/alerts?page_size=1', key)).toMatchObject({
      status: 403,
      type: 'resource_forbidden',
      code: 'missing_required_scope',
      metadata: { scope: 'alerts.view' },
    });
    expect((await ask(sandbox, '/v1/severities', key)).status).toBe(200);
    sandbox.setScopes(key, ['alerts.view']);
    expect((await ask(sandbox, '/v2/alerts?page_size=1', key)).status).toBe(200);
    sandbox.revokeKey(key);
    expect((await ask(sandbox, '/v2/alerts?page_size=1', key)).status).toBe(401);
  });

  it('hides private incidents, and what belongs to them, from a key without global access', async () => {
    const sandbox = await start();
    const key = sandbox.addKey({ identity: { roles: ['viewer'] } });
    const secret = [...sandbox.records('incidents')].filter((row) => row['visibility'] === 'private');
    const ids = new Set(secret.map((row) => row['id']));
    expect(ids.size).toBeGreaterThan(0);
    const seen = await readAll(sandbox, 'incidents', `/v2/incidents?page_size=250&${everything}`, key);
    expect(seen).toHaveLength(small.incidents - ids.size);
    const updates = await readAll(sandbox, 'incident_updates', '/v2/incident_updates?page_size=250', key);
    expect(updates.length).toBeLessThan(small.incident_updates);
    expect(updates.filter((row) => ids.has(row['incident_id']))).toEqual([]);
    expect([...sandbox.records('incident_updates', key)]).toHaveLength(updates.length);
    expect(await (await ask(sandbox, '/v1/identity', key)).json()).toMatchObject({
      identity: { roles: ['viewer'], dashboard_url: 'https://app.incident.io/sandbox' },
    });
  });
});

describe('pages', () => {
  it('serves 25 rows by default, and an empty page after a last page that is full', async () => {
    const sandbox = await start({ sizes: { ...small, escalations: 50 } });
    const first = await page(sandbox, '/v2/escalations');
    expect(first['escalations']).toHaveLength(25);
    expect(first.pagination_meta.page_size).toBe(25);
    const second = await page(sandbox, `/v2/escalations?after=${first.pagination_meta.after}`);
    expect(second['escalations']).toHaveLength(25);
    const third = await page(sandbox, `/v2/escalations?after=${second.pagination_meta.after}`);
    expect(third).toEqual({ escalations: [], pagination_meta: { page_size: 25 } });
  });

  it('silently cuts a page of incidents to 250 rows, and refuses too large a page of other lists', async () => {
    const sandbox = await start();
    const found = await page(sandbox, `/v2/incidents?page_size=500&${everything}`);
    expect(found['incidents']).toHaveLength(250);
    expect(found.pagination_meta).toMatchObject({ page_size: 250, total_record_count: 300 });
    for (const path of [
      '/v2/incidents?page_size=501',
      '/v2/alerts?page_size=51',
      '/v3/follow_ups?page_size=0',
    ]) {
      expect(await problem(sandbox, path)).toMatchObject({ status: 422, source: { field: 'page_size' } });
    }
  });

  it('requires a page size for alerts', async () => {
    const sandbox = await start();
    expect(await problem(sandbox, '/v2/alerts')).toMatchObject({
      status: 422,
      type: 'validation_error',
      source: { field: 'page_size' },
    });
  });

  it('answers 404 to an unknown cursor, and to the cursor of a row that was deleted', async () => {
    const sandbox = await start();
    const { pagination_meta: meta } = await page(sandbox, '/v2/alerts?page_size=5');
    sandbox.remove('alerts', String(meta.after));
    for (const after of ['nothing', String(meta.after), sandbox.idAt('incidents', 0)]) {
      expect(await problem(sandbox, `/v2/alerts?page_size=5&after=${after}`)).toMatchObject({
        status: 404,
        type: 'not_found',
        code: 'resource_not_found',
      });
    }
  });

  it('leaves next_shifts empty on pages of more than 25 rows', async () => {
    const sandbox = await start();
    const shifts = async (size: number) =>
      (await page(sandbox, `/v2/schedules?page_size=${size}`))['schedules']?.map((row) => row['next_shifts']);
    expect((await shifts(25))?.every((list) => Array.isArray(list) && list.length > 0)).toBe(true);
    expect((await shifts(26))?.every((list) => Array.isArray(list) && list.length === 0)).toBe(true);
  });

  it('serves lists without pages whole, and without pagination_meta', async () => {
    const sandbox = await start();
    const found = await page(sandbox, '/v1/incident_statuses');
    expect(Object.keys(found)).toEqual(['incident_statuses']);
    expect(found['incident_statuses']).toEqual([...sandbox.records('incident_statuses')]);
    expect((await ask(sandbox, '/v1/incident_statuses?page_size=5')).status).toBe(422);
  });

  it('serves incidents newest first by default', async () => {
    const sandbox = await start();
    const times = async (query: string) =>
      (await readAll(sandbox, 'incidents', `/v2/incidents?${everything}${query}`)).map((row) =>
        Date.parse(row.created_at),
      );
    const newest = await times('');
    expect(newest).toEqual(newest.toSorted((a, b) => b - a));
    expect(await times('&sort_by=created_at_oldest_first')).toEqual(newest.toReversed());
  });
});

describe('rows hidden by default', () => {
  it('hides declined, canceled and merged incidents, and test and tutorial ones', async () => {
    const sandbox = await start();
    const shown = await readAll(sandbox, 'incidents', '/v2/incidents?page_size=250');
    const expected = [...sandbox.records('incidents')].filter((row) => {
      const { category } = row['incident_status'] as { category: string };
      const isTry = row['mode'] === 'test' || row['mode'] === 'tutorial';
      return !isTry && !['declined', 'canceled', 'merged'].includes(category);
    });
    expect(expected.length).toBeLessThan(small.incidents);
    expect(shown.map((row) => row.id).toSorted()).toEqual(
      expected.map((row) => String(row['id'])).toSorted(),
    );
    expect(await readAll(sandbox, 'incidents', `/v2/incidents?${everything}`)).toHaveLength(small.incidents);
  });

  it('serves the follow-ups of one mode per request, so all of them take five passes', async () => {
    const sandbox = await start();
    const passes = await Promise.all(
      [...allModes, 'stream'].map((mode) =>
        readAll(sandbox, 'follow_ups', `/v3/follow_ups?page_size=250&incident_mode=${mode}`),
      ),
    );
    const ids = passes.flat().map((row) => row.id);
    expect(passes.every((rows) => rows.length > 0)).toBe(true);
    expect(ids.toSorted()).toEqual(
      [...sandbox.records('follow_ups')].map((row) => String(row['id'])).toSorted(),
    );
    const [standard = [], retrospective = []] = passes;
    const usual = await readAll(sandbox, 'follow_ups', '/v3/follow_ups?page_size=250');
    expect(usual).toHaveLength(standard.length + retrospective.length);
    expect((await ask(sandbox, '/v3/follow_ups?incident_mode=test&incident_mode=stream')).status).toBe(422);
  });

  it('moves a follow-up to another pass when its incident changes mode', async () => {
    const sandbox = await start();
    const [row] = await readAll(sandbox, 'follow_ups', '/v3/follow_ups?incident_mode=standard');
    const id = String(row?.['incident_id']);
    sandbox.change('incidents', id, { mode: 'test' });
    const moved = await page(sandbox, `/v3/follow_ups?incident_mode=test&incident_id=${id}`);
    expect(moved['follow_ups']?.map((found) => found.id)).toContain(row?.id);
  });

  it('leaves out deactivated users by default', async () => {
    const sandbox = await start();
    const shown = await readAll(sandbox, 'users', '/v2/users');
    expect(shown.every((row) => row['is_active'] === true)).toBe(true);
    expect(shown.length).toBeLessThan(small.users);
    expect(await readAll(sandbox, 'users', '/v2/users?include_inactive=true')).toHaveLength(small.users);
  });

  it('answers 404 to the updates of an unknown incident', async () => {
    const sandbox = await start();
    const id = sandbox.idAt('incidents', 7);
    const found = await page(sandbox, `/v2/incident_updates?incident_id=${id}`);
    expect(new Set(found['incident_updates']?.map((row) => row['incident_id']))).toEqual(new Set([id]));
    expect((await ask(sandbox, '/v2/incident_updates?incident_id=nothing')).status).toBe(404);
  });
});

describe('time filters', () => {
  it('filters incidents and escalations by whole UTC days, both ends included', async () => {
    const sandbox = await start();
    for (const table of ['incidents', 'escalations'] as const) {
      const id = sandbox.idAt(table, 5);
      sandbox.change(table, id, { updated_at: '2026-11-10T23:59:59.999999Z' });
      const has = async (range: string) =>
        (
          await readAll(
            sandbox,
            table,
            `/v2/${table}?updated_at[date_range]=${range}${table === 'incidents' ? `&${everything}` : ''}`,
          )
        ).some((row) => row.id === id);
      expect(await has('2026-11-10~2026-11-10')).toBe(true);
      expect(await has('2026-11-11~2026-11-12')).toBe(false);
      expect(await has('2026-11-08~2026-11-09')).toBe(false);
      const path = `/v2/${table}?updated_at[date_range]=2026-11-10T00:00:00Z~2026-11-11T00:00:00Z`;
      expect(await problem(sandbox, path)).toMatchObject({ status: 422, source: { field: 'updated_at' } });
    }
  });

  it('filters alerts and follow-ups by milliseconds, the end excluded', async () => {
    const sandbox = await start();
    for (const [table, path] of [
      ['alerts', '/v2/alerts?page_size=50'],
      ['follow_ups', '/v3/follow_ups?page_size=50'],
    ] as const) {
      const shown = await page(sandbox, path);
      const id = String(shown[table]?.[0]?.id);
      sandbox.change(table, id, { updated_at: '2026-11-10T10:00:00.25Z' });
      const ids = async (range: string) =>
        (await page(sandbox, `${path}&updated_at[date_range]=${range}`))[table]?.map((row) => row.id);
      expect(await ids('2026-11-10T10:00:00.250Z~2026-11-10T10:00:00.251Z')).toEqual([id]);
      expect(await ids('2026-11-10T10:00:00.249Z~2026-11-10T10:00:00.250Z')).toEqual([]);
      expect(await ids('2026-11-10T12:00:00.250%2B02:00~2026-11-10T12:00:01%2B02:00')).toEqual([id]);
    }
  });

  it('reads a bare date in lte as the first instant of that day', async () => {
    const sandbox = await start();
    const [early, late] = [sandbox.idAt('alerts', 1), sandbox.idAt('alerts', 2)];
    sandbox.change('alerts', early, { updated_at: '2027-01-02T00:00:00Z' });
    sandbox.change('alerts', late, { updated_at: '2027-01-02T00:00:00.000001Z' });
    const ids = (await readAll(sandbox, 'alerts', '/v2/alerts?page_size=50&updated_at[lte]=2027-01-02')).map(
      (row) => row.id,
    );
    expect(ids).toContain(early);
    expect(ids).not.toContain(late);
  });

  it.each([
    [
      'two operators on one field',
      '/v2/alerts?page_size=1&updated_at[gte]=2026-01-01&updated_at[lte]=2026-02-01',
    ],
    ['an unknown operator', '/v2/alerts?page_size=1&updated_at[after]=2026-01-01'],
    ['no operator', '/v2/alerts?page_size=1&updated_at=2026-01-01'],
    ['a range without an end', '/v2/alerts?page_size=1&updated_at[date_range]=2026-01-01'],
    [
      'a range that ends before it starts',
      '/v2/alerts?page_size=1&updated_at[date_range]=2026-02-01~2026-01-01',
    ],
    ['a day that does not exist', '/v2/escalations?updated_at[gte]=2026-02-30'],
    ['something that is not a date', '/v3/follow_ups?created_at[gte]=yesterday'],
    ['a filter the endpoint lacks', '/v2/incident_updates?updated_at[gte]=2026-01-01'],
    ['an unknown field', '/v2/incidents?colour=red'],
    ['an unknown category', '/v2/incidents?status_category[one_of]=active'],
    ['a mode that incidents do not have', '/v2/incidents?mode[one_of]=stream'],
    ['an unknown order', '/v2/incidents?sort_by=updated_at'],
  ])('answers 422 to %s', async (_, path) => {
    expect((await ask(await start(), path)).status).toBe(422);
  });

  it('accepts a category that came with a new status', async () => {
    const sandbox = await start();
    const status = sandbox.create('incident_statuses', { name: 'Parked', category: 'parked' });
    const id = sandbox.idAt('incidents', 3);
    sandbox.change('incidents', id, { incident_status: status, mode: 'standard' });
    const found = await page(sandbox, '/v2/incidents?status_category[one_of]=parked');
    expect(found['incidents']?.map((row) => row.id)).toEqual([id]);
  });
});

describe('limits', () => {
  it('counts both buckets, names the binding one first, and refills by its clock', async () => {
    let now = noon;
    const sandbox = await start({
      now: () => now,
      limits: { all: { capacity: 5, perSecond: 2 }, incidents: { capacity: 2, perSecond: 0.5 } },
    });
    const first = await ask(sandbox, '/v2/incidents?page_size=1');
    expect(first.headers.get('x-ratelimit-limit')).toBe('2, 5;window=60, 2;window=60');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    await ask(sandbox, '/v2/incidents?page_size=1');

    const refused = await ask(sandbox, '/v2/incidents?page_size=1');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(refused.headers.get('x-ratelimit-used')).toBe('2');
    expect(await refused.json()).toMatchObject({
      type: 'too_many_requests',
      status: 429,
      rate_limit: { name: 'api_key_name', limit: 2, remaining: 0, retry_after: '2026-11-20T12:00:02.500Z' },
    });

    // The refused request cost no token: three of five are left.
    const other = await ask(sandbox, '/v1/severities');
    expect(other.headers.get('x-ratelimit-limit')).toBe('5, 5;window=60');
    expect(other.headers.get('x-ratelimit-remaining')).toBe('2');
    const own = sandbox.addKey();
    expect((await ask(sandbox, '/v2/incidents?page_size=1', own)).status).toBe(200);

    now += 2000;
    expect((await ask(sandbox, '/v2/incidents?page_size=1')).status).toBe(200);
  });
});

describe('changes', () => {
  it('stamps a change by its clock, or earlier to play a late commit', async () => {
    const sandbox = await start();
    const id = sandbox.idAt('alerts', 9);
    expect(sandbox.change('alerts', id, { title: 'Changed' })['updated_at']).toBe('2026-11-20T12:00:00.5Z');
    const since = `/v2/alerts?page_size=50&updated_at[gte]=2026-11-20T12:00:00Z`;
    expect((await page(sandbox, since))['alerts']).toMatchObject([{ id, title: 'Changed' }]);
    sandbox.change('alerts', id, (row) => ({ title: `${String(row['title'])} again` }), {
      stampedAgoMs: 2000,
    });
    expect((await page(sandbox, since))['alerts']).toEqual([]);
    expect([...sandbox.records('alerts')][9]).toMatchObject({
      title: 'Changed again',
      updated_at: '2026-11-20T11:59:58.5Z',
    });
  });

  it('puts a row that is created during the read where its created_at says', async () => {
    const sandbox = await start();
    const path = `/v2/incidents?sort_by=created_at_oldest_first&page_size=250&${everything}`;
    const first = await page(sandbox, path);
    const [late, old] = [
      sandbox.create('incidents', { name: 'New' }),
      sandbox.create('incidents', { created_at: '2024-01-02T00:00:00Z' }),
    ];
    const rest = await page(sandbox, `${path}&after=${first.pagination_meta.after}`);
    expect(rest['incidents']?.at(-1)).toEqual(late);
    expect(rest.pagination_meta.total_record_count).toBe(302);
    const ids = (await readAll(sandbox, 'incidents', path)).map((row) => row.id);
    expect(ids.indexOf(String(old['id']))).toBeLessThan(5);
    expect(new Set(ids).size).toBe(302);
  });

  it('no longer serves a removed row', async () => {
    const sandbox = await start();
    const made = sandbox.create('severities', { name: 'Catastrophic', rank: 9 });
    const [id, other] = [String(made['id']), sandbox.idAt('severities', 0)];
    sandbox.remove('severities', other);
    const names = async () => (await page(sandbox, '/v1/severities'))['severities']?.map((row) => row.id);
    expect(await names()).toContain(id);
    expect(await names()).not.toContain(other);
    sandbox.remove('severities', id);
    expect(await names()).not.toContain(id);
    expect(() => {
      sandbox.remove('severities', id);
    }).toThrow(RangeError);
  });
});

describe('what is sent', () => {
  it('sends records as a transform returns them, including raw text', async () => {
    const sandbox = await start();
    sandbox.transform = (row, table) =>
      table === 'alerts' ? { ...row, title: '\ud800', big: 1 } : `{"id":"x","rank":9007199254740993}`;
    const alerts = await page(sandbox, '/v2/alerts?page_size=1');
    expect(alerts['alerts']?.[0]).toMatchObject({ title: '\ud800', big: 1 });
    expect([...sandbox.records('alerts')][0]).toMatchObject({ title: '\ud800', big: 1 });
    expect(await (await ask(sandbox, '/v1/severities')).text()).toContain('"rank":9007199254740993}');
  });

  it('logs requests in order, without the key', async () => {
    const sandbox = await start();
    await ask(sandbox, '/v1/severities');
    await ask(sandbox, '/v2/alerts');
    expect(sandbox.requests).toMatchObject([
      { at: noon, method: 'GET', url: '/v1/severities', table: 'severities', status: 200 },
      { url: '/v2/alerts', table: 'alerts', status: 422 },
    ]);
    expect(JSON.stringify(sandbox.requests)).not.toContain(sandbox.key);
  });

  it('sends the time of its clock in Date, serves only GET, and listens only on loopback', async () => {
    const sandbox = await start();
    expect(new URL(sandbox.url).hostname).toBe('127.0.0.1');
    expect((await ask(sandbox, '/v1/severities')).headers.get('date')).toBe(new Date(noon).toUTCString());
    expect((await ask(sandbox, '/v9/nothing')).status).toBe(404);
    const posted = await fetch(`${sandbox.url}/v1/severities`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${sandbox.key}` },
    });
    expect(posted.status).toBe(405);
  });
});
