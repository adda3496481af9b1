import axios from 'axios';
import { afterEach, expect, it } from 'vitest';
import { startSandbox, type FaultRule, type Sandbox } from '../../../src/sandbox/sandbox.ts';

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
  const isResumed: FaultRule['when'] = ({ params }) => params.has('after');
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
