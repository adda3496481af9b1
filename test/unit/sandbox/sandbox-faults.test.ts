import axios from 'axios';
import { afterEach, expect, it } from 'vitest';
import { startSandbox, type AnswerRule, type FaultRule, type Sandbox } from '../../../src/sandbox/sandbox.ts';

const sizes = { incidents: 30, incident_updates: 0, follow_ups: 0, alerts: 100, escalations: 0 };

let running: Sandbox | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(...faults: FaultRule[]): Promise<Sandbox> {
  running = await startSandbox({ sizes, faults });
  return running;
}

async function ask(sandbox: Sandbox, path = '/v2/alerts?page_size=10', timeout = 5000) {
  return axios.get<string>(sandbox.url + path, {
    headers: { Authorization: `Bearer ${sandbox.key}` },
    validateStatus: () => true,
    responseType: 'text',
    transformResponse: (body: string) => body,
    maxRedirects: 0,
    timeout,
  });
}

it('fails as many times as the rule says, then works again', async () => {
  const sandbox = await start({ fault: { kind: 'error', status: 503, retryAfterSeconds: 7 }, times: 2 });
  const first = await ask(sandbox);
  expect(first.status).toBe(503);
  expect(first.headers['retry-after']).toBe('7');
  expect(JSON.parse(first.data)).toMatchObject({ type: 'api_error', status: 503 });
  expect((await ask(sandbox)).status).toBe(503);
  expect((await ask(sandbox)).status).toBe(200);
  expect(sandbox.requests.map(({ fault }) => fault)).toEqual(['error', 'error', undefined]);
});

it('fails only the requests that a rule matches, until the rule is removed', async () => {
  const sandbox = await start();
  const isResumed: AnswerRule['when'] = ({ params }) => params.has('after');
  const takeBack = sandbox.fault({ fault: { kind: 'error', status: 404 }, table: 'alerts', when: isResumed });
  expect((await ask(sandbox, '/v1/severities')).status).toBe(200);
  expect((await ask(sandbox)).status).toBe(200);
  const resumed = `/v2/alerts?page_size=10&after=${sandbox.idAt('alerts', 3)}`;
  expect((await ask(sandbox, resumed)).status).toBe(404);
  takeBack();
  expect((await ask(sandbox, resumed)).status).toBe(200);
});

it.each([200, 502])('answers HTML with status %i', async (status) => {
  const answer = await ask(await start({ fault: { kind: 'html', status } }));
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toContain('text/html');
  expect(answer.data).toContain('<html>');
});

it.each(['content-length', 'chunked'] as const)(
  'cuts off the JSON in a response that ends properly (%s)',
  async (framing) => {
    const answer = await ask(await start({ fault: { kind: 'cut', framing } }));
    expect(answer.status).toBe(200);
    expect(answer.data.length).toBeGreaterThan(100);
    expect(() => JSON.parse(answer.data) as unknown).toThrow(SyntaxError);
  },
);

it('breaks the connection in the middle of a response, and before one', async () => {
  const sandbox = await start(
    { fault: { kind: 'cut', framing: 'aborted' }, times: 1 },
    { fault: { kind: 'reset' }, times: 1 },
  );
  await expect(ask(sandbox)).rejects.toThrow('aborted');
  await expect(ask(sandbox)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await ask(sandbox)).status).toBe(200);
  expect(sandbox.requests.map(({ status }) => status)).toEqual([200, 0, 200]);
});

it('sends the headers and then nothing, and can still be stopped', async () => {
  const sandbox = await start({ fault: { kind: 'stall' } });
  const abort = new AbortController();
  const response = await fetch(`${sandbox.url}/v1/severities`, {
    headers: { Authorization: `Bearer ${sandbox.key}` },
    signal: abort.signal,
  });
  expect(response.status).toBe(200);
  const body = response.text();
  await sandbox.stop();
  running = undefined;
  await expect(body).rejects.toThrow('terminated');
});

it('answers with a redirect', async () => {
  const answer = await ask(await start({ fault: { kind: 'redirect', location: 'http://127.0.0.1:9/' } }));
  expect(answer.status).toBe(302);
  expect(answer.headers['location']).toBe('http://127.0.0.1:9/');
});

it('leaves out the Date header, or the rate limit headers', async () => {
  const sandbox = await start(
    { fault: { kind: 'without', headers: 'date' }, times: 1 },
    { fault: { kind: 'without', headers: 'rate-limit' }, times: 1 },
  );
  const dateless = await ask(sandbox);
  expect(dateless.headers['date']).toBeUndefined();
  expect(dateless.headers['x-ratelimit-limit']).toBeDefined();
  const limitless = await ask(sandbox);
  expect(limitless.headers['date']).toBeDefined();
  expect(Object.keys(limitless.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
});

it('repeats a cursor, or sends a body of another shape', async () => {
  const sandbox = await start(
    { fault: { kind: 'repeat-cursor' }, times: 1, when: ({ params }) => params.has('after') },
    { fault: { kind: 'body', body: { alerts: {} } }, times: 1 },
  );
  const after = sandbox.idAt('alerts', 3);
  const repeated = await ask(sandbox, `/v2/alerts?page_size=10&after=${after}`);
  expect(JSON.parse(repeated.data)).toMatchObject({ pagination_meta: { after, page_size: 10 } });
  expect(JSON.parse((await ask(sandbox)).data)).toEqual({ alerts: {} });
});

it('fails a share of the requests, the same ones for the same seed', async () => {
  const failures = async (seed: number) => {
    const sandbox = await startSandbox({ sizes, seed, faults: 0.3, limits: 'off' });
    for (let i = 0; i < 100; i++) await ask(sandbox, '/v1/severities').catch(() => undefined);
    await sandbox.stop();
    return sandbox.requests.map(({ fault }) => fault);
  };
  const first = await failures(4);
  const failed = first.filter((fault) => fault !== undefined);
  expect(failed.length).toBeGreaterThan(10);
  expect(failed.length).toBeLessThan(60);
  expect(await failures(4)).toEqual(first);
  expect(await failures(5)).not.toEqual(first);
});

type Page = {
  alerts: { id: string; created_at?: string }[];
  pagination_meta?: { after?: string; page_size: number };
};
const pageOf = async (sandbox: Sandbox, path = '/v2/alerts?page_size=10') => {
  const { status, data } = await ask(sandbox, path);
  return { status, ...(JSON.parse(data) as Page) };
};
/** All rows, as a client that believes each response reads them. */
async function readAll(sandbox: Sandbox): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Page = await pageOf(sandbox, `/v2/alerts?page_size=10${after && `&after=${after}`}`);
    ids.push(...page.alerts.map(({ id }) => id));
    after = page.pagination_meta?.after;
  }
  return ids;
}
const isThirdPage =
  (sandbox: Sandbox): NonNullable<AnswerRule['when']> =>
  ({ params }) =>
    params.get('after') === sandbox.idAt('alerts', 19);

it('ends a list too early: with a full page without pagination_meta, or with a short or empty page', async () => {
  const sandbox = await start();
  const inTheMiddle = { table: 'alerts', times: 1, when: isThirdPage(sandbox) };
  const whole = await readAll(sandbox);
  expect(whole).toHaveLength(100);
  sandbox.fault({ ...inTheMiddle, fault: { kind: 'no-meta' } });
  expect(await readAll(sandbox)).toEqual(whole.slice(0, 30));
  sandbox.fault({ ...inTheMiddle, fault: { kind: 'short', rows: 3, after: 'none' } });
  expect(await readAll(sandbox)).toEqual(whole.slice(0, 23));
  sandbox.fault({ ...inTheMiddle, fault: { kind: 'short', rows: 0, after: 'none' } });
  expect(await readAll(sandbox)).toEqual(whole.slice(0, 20));
  expect(await readAll(sandbox)).toEqual(whole);
});

it('serves a list without pages short or empty', async () => {
  const fault = { kind: 'short', rows: 0, after: 'none' } as const;
  const sandbox = await start({ table: 'severities', fault, times: 1 });
  expect(JSON.parse((await ask(sandbox, '/v1/severities')).data)).toEqual({ severities: [] });
  expect(JSON.parse((await ask(sandbox, '/v1/severities')).data)).toEqual({
    severities: [...sandbox.records('severities')],
  });
});

it('serves a page that is shorter than asked for, and continues after its last row', async () => {
  const sandbox = await start();
  const whole = await readAll(sandbox);
  sandbox.fault({ table: 'alerts', fault: { kind: 'short', rows: 3, after: 'last-row' }, fraction: 0.5 });
  expect(await readAll(sandbox)).toEqual(whole);
  const sizes = sandbox.requests.filter(({ fault }) => fault === 'short').length;
  expect(sizes).toBeGreaterThan(5);
});

it('never ends: each empty page names another cursor', async () => {
  const sandbox = await start({ table: 'alerts', fault: { kind: 'endless' } });
  const cursors = new Set<string>();
  let path = '/v2/alerts?page_size=10';
  for (let asked = 0; asked < 5; asked += 1) {
    const { status, alerts, pagination_meta: meta } = await pageOf(sandbox, path);
    expect({ status, alerts }).toEqual({ status: 200, alerts: [] });
    cursors.add(meta!.after!);
    path = `/v2/alerts?page_size=10&after=${meta!.after}`;
  }
  expect(cursors.size).toBe(5);
});

it('lets rows lack a field: they are in the list, and no filter on the field returns them', async () => {
  const sandbox = await start();
  const everyDay = '/v2/alerts?page_size=50&created_at[gte]=2000-01-01';
  const ids = async (path: string) => (await pageOf(sandbox, path)).alerts.map(({ id }) => id);
  const before = await ids(everyDay);
  const takeBack = sandbox.fault({
    table: 'alerts',
    fault: { kind: 'lacking', field: 'created_at' },
    fraction: 0.4,
  });

  const { alerts } = await pageOf(sandbox, '/v2/alerts?page_size=50');
  const lacking = alerts.filter((row) => !('created_at' in row)).map(({ id }) => id);
  expect(lacking.length).toBeGreaterThan(5);
  expect(lacking.length).toBeLessThan(45);
  expect(alerts).toHaveLength(50);
  expect(alerts).toEqual([...sandbox.records('alerts')].slice(0, 50));
  expect((await ids(everyDay)).filter((id) => lacking.includes(id))).toEqual([]);
  expect(await ids('/v2/alerts?page_size=50&updated_at[gte]=2000-01-01')).toEqual(alerts.map(({ id }) => id));

  const changed = sandbox.change('alerts', lacking[0]!, { title: 'changed' });
  expect(changed).not.toHaveProperty('created_at');
  takeBack();
  expect(await ids(everyDay)).toEqual(before);
});

it('lets one row lose a field for good', async () => {
  const sandbox = await start();
  const id = sandbox.idAt('alerts', 4);
  sandbox.change('alerts', id, { created_at: undefined });
  const find = async (query: string) =>
    (await pageOf(sandbox, `/v2/alerts?page_size=50${query}`)).alerts.filter((row) => row.id === id);
  expect(await find('')).toEqual([expect.not.objectContaining({ created_at: expect.anything() as unknown })]);
  expect(await find('&created_at[gte]=2000-01-01')).toEqual([]);
});

it('asks to slow down forever, with a wait of zero or a date', async () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  running = await startSandbox({ sizes, now: () => now });
  running.fault({ table: 'alerts', fault: { kind: 'error', status: 429, retryAfterSeconds: 0 } });
  running.fault({
    table: 'severities',
    fault: { kind: 'error', status: 429, retryAfterSeconds: 90, retryAfterIs: 'date' },
  });
  for (let asked = 0; asked < 3; asked += 1) {
    const { status, headers } = await ask(running);
    expect([status, headers['retry-after']]).toEqual([429, '0']);
  }
  const { headers } = await ask(running, '/v1/severities');
  expect(headers['retry-after']).toBe('Fri, 20 Nov 2026 12:01:30 GMT');
});

it.each([402, 404])('refuses a whole list that the plan does not include (%i)', async (status) => {
  const sandbox = await start({ table: 'alerts', fault: { kind: 'error', status } });
  for (let asked = 0; asked < 2; asked += 1) {
    const refused = await ask(sandbox);
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.data)).toMatchObject({ status, errors: [{}] });
  }
  expect((await ask(sandbox, '/v1/severities')).status).toBe(200);
});
