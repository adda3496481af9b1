import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ApiUnavailableError,
  CredentialsError,
  CursorRejectedError,
  FilterRejectedError,
  PermissionError,
  RateLimitedError,
  type RequestError,
  UnexpectedResponseError,
} from '../../../src/errors.ts';
import { createClient } from '../../../src/incident-io/client.ts';
import { Pace, type Turn, type TurnRequest } from '../../../src/incident-io/pace.ts';
import { apiReplying, type Reply } from '../../helpers/api.ts';

const apiKey = 'inc_secret_0123456789';
const forbidden = {
  type: 'resource_forbidden',
  status: 403,
  request_id: 'ZtsoWDj7',
  errors: [
    {
      code: 'missing_required_scope',
      message: 'missing a required scope: alerts.view',
      metadata: { scope: 'alerts.view' },
    },
  ],
};

function get(
  baseUrl: string,
  { after = false, timeoutMs = 5_000, signal = new AbortController().signal } = {},
) {
  const client = createClient({ apiKey, baseUrl, timeoutMs });
  return client.get('/v2/alerts', after ? [['after', 'x']] : [], { signal });
}

async function failureOf(reply: Reply, options: Parameters<typeof get>[1] = {}): Promise<RequestError> {
  const api = await apiReplying(reply);
  return get(api.baseUrl, options).then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error as RequestError,
  );
}

describe('a response that is not an answer', () => {
  it.each<[string, Reply, boolean, new (...args: never[]) => Error]>([
    ['401', { status: 401 }, false, CredentialsError],
    ['403', { status: 403, body: forbidden }, false, PermissionError],
    ['404', { status: 404 }, false, UnexpectedResponseError],
    ['404 on a cursor', { status: 404 }, true, CursorRejectedError],
    ['422', { status: 422 }, false, FilterRejectedError],
    ['422 on a cursor', { status: 422 }, true, CursorRejectedError],
    ['408', { status: 408 }, false, ApiUnavailableError],
    ['500', { status: 500 }, false, ApiUnavailableError],
    ['400', { status: 400 }, false, UnexpectedResponseError],
    ['a connection that is reset', (request) => request.socket.destroy(), false, ApiUnavailableError],
    [
      'a body that ends early',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"alerts"');
        setImmediate(() => response.destroy());
      },
      false,
      ApiUnavailableError,
    ],
  ])('throws an error of its own class for %s', async (_, reply, after, expected) => {
    expect(await failureOf(reply, { after })).toBeInstanceOf(expected);
  });

  // A gateway in front of the API answers in a shape of its own. If that counted as a defect, it would end the run.
  it.each([
    [{ message: 'no upstream', request_id: 12_345 }],
    [{ errors: [{ message: { text: 'no upstream' } }] }],
    [{ request_id: null, errors: [null] }],
    [{ errors: 'none' }],
    [null],
  ])('may pass like every 503 when its body has another shape: %j', async (body) => {
    const error = await failureOf({ status: 503, body });
    expect(error).toBeInstanceOf(ApiUnavailableError);
    expect(error.message).toBe('GET /v2/alerts: 503');
  });

  it('is given up when its body stalls', async () => {
    const stall: Reply = (_, response) => {
      response.writeHead(200);
      response.write('{"alerts"');
    };
    expect(await failureOf(stall, { timeoutMs: 100 })).toBeInstanceOf(ApiUnavailableError);
  });

  it('says when to try again, even if it is a date', async () => {
    const date = new Date('2020-01-01T00:00:00Z').toUTCString();
    const later = new Date('2020-01-01T00:01:30Z').toUTCString();
    const error = await failureOf({ status: 503, headers: { date, 'retry-after': later } });
    expect(error).toMatchObject({ name: 'ApiUnavailableError', retryAfterMs: 90_000 });
  });

  it('names the missing scope and keeps the request id', async () => {
    const error = (await failureOf({ status: 403, body: forbidden })) as PermissionError;
    expect(error.scope).toBe('alerts.view');
    expect(error.advice).toContain('alerts.view');
    expect(error.facts.requestId).toBe('ZtsoWDj7');
  });

  it('does not follow a redirect, which would carry the key elsewhere', async () => {
    const elsewhere = await apiReplying({});
    const error = await failureOf({ status: 302, headers: { location: `${elsewhere.baseUrl}/v2/alerts` } });
    expect(error).toBeInstanceOf(UnexpectedResponseError);
    expect(elsewhere.asked).toEqual([]);
  });

  it('never shows the key, even if the server repeats it', async () => {
    const error = await failureOf({ status: 400, body: { errors: [{ message: `bad ${apiKey}` }] } });
    expect(JSON.stringify([error.message, error.stack, error.cause, error])).not.toContain(apiKey);
    const reset = await failureOf((request) => request.socket.destroy());
    expect(JSON.stringify([reset.message, reset.stack, reset.cause, reset])).not.toContain(apiKey);
  });
});

describe('an answer beyond the limit of size', () => {
  const megabyte = Buffer.alloc(2 ** 20, ' ');

  it.each<[string, { [header: string]: string }, Buffer]>([
    ['as it is', {}, megabyte],
    ['once it is unpacked', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(100 * 2 ** 20, ' '))],
  ])('is refused before it fills the memory, %s', async (_, headers, chunk) => {
    let sent = 0;
    const api = await apiReplying((_, response) => {
      response.writeHead(200, headers);
      const more = () => {
        if (response.destroyed) return;
        sent += 1;
        if (Object.keys(headers).length > 0) response.end(chunk);
        else response.write(chunk, more);
      };
      more();
    });
    await expect(get(api.baseUrl, { timeoutMs: 30_000 })).rejects.toMatchObject({
      name: 'UnexpectedResponseError',
      message: expect.stringMatching(/\/v2\/alerts.*\b64 MiB\b/) as string,
    });
    expect(sent).toBeLessThan(100);
  });
});

describe('a 429', () => {
  it('is waited out, and the wait is as long as the API says', async () => {
    const api = await apiReplying({ status: 429, headers: { 'retry-after': '1' } }, { body: { alerts: [] } });
    const sent: number[] = [];
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    await client.get('/v2/alerts', [], {
      signal: new AbortController().signal,
      onRequest: ({ waitedMs }) => sent.push(waitedMs),
    });
    expect(sent).toHaveLength(2);
    expect(sent[1]).toBeGreaterThanOrEqual(900);
  });

  it('with a date is waited out until then, by the clock of the API', async () => {
    const date = new Date('2020-01-01T00:00:00Z').toUTCString();
    const later = new Date('2020-01-01T00:00:01Z').toUTCString();
    const api = await apiReplying(
      { status: 429, headers: { date, 'retry-after': later } },
      { body: { alerts: [] } },
    );
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const began = performance.now();
    await client.get('/v2/alerts', [], { signal: new AbortController().signal });
    expect(performance.now() - began).toBeGreaterThanOrEqual(900);
  });

  it.each([
    ['seconds', '3600'],
    ['a date', new Date(Date.now() + 3_600_000).toUTCString()],
    ['seconds since the epoch', String(Math.round(Date.now() / 1_000) + 3_600)],
  ])(
    'that asks in %s for a longer wait than the call’s patience ends it, and says until when',
    async (_, value) => {
      const body = { request_id: 'ZtsoWDj7', errors: [{ message: 'slow down' }] };
      const api = await apiReplying({ status: 429, headers: { 'retry-after': value }, body });
      const client = createClient({ apiKey, baseUrl: api.baseUrl });
      const { signal } = new AbortController();
      const error = await client
        .get('/v2/alerts', [], { signal, patienceMs: 600_000 })
        .catch((error: unknown) => error as RateLimitedError);
      expect(error).toBeInstanceOf(RateLimitedError);
      const { until, message, facts } = error as RateLimitedError;
      expect(Math.abs(until! - Date.now() - 3_600_000)).toBeLessThan(10_000);
      expect(message).toContain('GET /v2/alerts: 429 slow down');
      expect(message).toContain(new Date(until!).toISOString());
      expect(facts.requestId).toBe('ZtsoWDj7');
      expect(api.asked).toHaveLength(1);
      // A request that would have to wait for it is not even sent.
      const next = client.get('/v2/incidents', [], { signal, patienceMs: 600_000 });
      await expect(next).rejects.toBeInstanceOf(RateLimitedError);
      expect(api.asked).toHaveLength(1);
    },
  );

  it('says until when it waits, and when that is over', async () => {
    const api = await apiReplying({ status: 429, headers: { 'retry-after': '1' } }, {});
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const told: (number | undefined)[] = [];
    const { signal } = new AbortController();
    await client.get('/v2/alerts', [], { signal, onRefused: (until) => told.push(until) });
    expect(told).toEqual([expect.any(Number), undefined]);
  });

  it('lets a wait be ended without ending requests under way', async () => {
    const api = await apiReplying({ status: 429, headers: { 'retry-after': '600' } });
    const wait = new AbortController();
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const asking = client.get('/v2/alerts', [], {
      signal: new AbortController().signal,
      waitSignal: wait.signal,
      patienceMs: 900_000,
      onRequest: () => setImmediate(() => wait.abort(new Error('time is up'))),
    });
    await expect(asking).rejects.toThrow('time is up');
  });
});

describe('a request', () => {
  const { signal } = new AbortController();

  it('is reported even if no answer comes, because its wait at the limit is not a lack of progress', async () => {
    const api = await apiReplying({ status: 429, headers: { 'retry-after': '1' } }, (request) =>
      request.socket.destroy(),
    );
    const waits: number[] = [];
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const onRequest = ({ waitedMs }: { waitedMs: number }) => void waits.push(waitedMs);
    await expect(client.get('/v2/alerts', [], { signal, onRequest })).rejects.toBeInstanceOf(
      ApiUnavailableError,
    );
    expect(waits).toHaveLength(2);
    expect(waits[1]).toBeGreaterThan(900);
  });

  it('without a cursor goes before the longest cursor: a plan must not wait for a whole first sync', async () => {
    const order: number[] = [];
    class RecordedPace extends Pace {
      override async turn(request: TurnRequest): Promise<Turn> {
        const turn = await super.turn(request);
        order.push(request.work);
        return turn;
      }
    }
    const pace = new RecordedPace();
    const api = await apiReplying({});
    const client = createClient({ apiKey, baseUrl: api.baseUrl, pace });
    // No token is left, so all three wait.
    (await pace.turn({ work: 0, signal })).done({ limit: 1_200, remaining: 0 });
    await Promise.all([
      client.get('/v2/alerts', [], { signal, work: 1_000 }),
      client.get('/v2/alerts', [], { signal, work: 1_001 }),
      client.get('/v1/identity', [], { signal }),
    ]);
    expect(order.slice(1)).toEqual([Number.MAX_SAFE_INTEGER, 1_001, 1_000]);
  });

  it('to this machine bypasses the proxy in the environment, which would see the key', async () => {
    const proxy = await apiReplying({});
    const api = await apiReplying({});
    vi.stubEnv('HTTP_PROXY', proxy.baseUrl);
    vi.stubEnv('http_proxy', proxy.baseUrl);
    await get(api.baseUrl).finally(() => vi.unstubAllEnvs());
    expect([proxy.asked, api.asked]).toEqual([[], ['/v2/alerts']]);
  });
});

it('asks the proxy in the environment for a tunnel to incident.io only, and does not show it the key', async () => {
  const seen: unknown[] = [];
  const proxy = createServer((request) => void seen.push(request.headers));
  proxy.on('connect', ({ url, headers }, socket) => {
    seen.push([url, headers.authorization]);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((done) => {
    proxy.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => void proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  for (const name of ['HTTPS_PROXY', 'https_proxy']) vi.stubEnv(name, address);
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const api of ['https://incident.invalid', 'https://127.0.0.1:1']) {
    await expect(get(api)).rejects.toBeInstanceOf(ApiUnavailableError);
  }
  expect(seen).toEqual([['incident.invalid:443', undefined]]);
});

it('stops at once when its call is cancelled', async () => {
  const cancel = new AbortController();
  const api = await apiReplying(() => cancel.abort(new Error('cancelled')));
  await expect(get(api.baseUrl, { signal: cancel.signal })).rejects.toThrow('cancelled');
});
