import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ApiUnavailableError,
  CredentialsError,
  CursorRejectedError,
  FilterRejectedError,
  PermissionError,
  type RequestError,
  UnexpectedResponseError,
  UsageError,
} from '../../../src/errors.ts';
import { checkedBaseUrl, createClient } from '../../../src/incident-io/client.ts';
import { parseJson } from '../../../src/records/json.ts';
import { Pace } from '../../../src/incident-io/pace.ts';
import { readPage } from '../../../src/incident-io/pages.ts';
import { readReveals } from '../../../src/incident-io/reveals.ts';
import { tableNamed } from '../../../src/tables/index.ts';
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

describe('an answer that is no page', () => {
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
    ['HTML', { text: '<html>Bad gateway</html>' }, false, ApiUnavailableError],
    ['cut-off JSON', { text: '{"alerts":[{"id":"1"' }, false, ApiUnavailableError],
    ['JSON that is no object', { text: '[]' }, false, UnexpectedResponseError],
    ['a reset', (request) => request.socket.destroy(), false, ApiUnavailableError],
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
  ])('%s is an error of its own class', async (_, reply, after, expected) => {
    expect(await failureOf(reply, { after })).toBeInstanceOf(expected);
  });

  // A gateway before the API answers in its own shape; taken for a defect, it would end the run for good.
  it.each([
    [{ message: 'no upstream', request_id: 12_345 }],
    [{ errors: [{ message: { text: 'no upstream' } }] }],
    [{ request_id: null, errors: [null] }],
    [{ errors: 'none' }],
    [null],
  ])('of a shape of its own, %j, passes like every 503', async (body) => {
    const error = await failureOf({ status: 503, body });
    expect(error).toBeInstanceOf(ApiUnavailableError);
    expect(error.message).toBe('GET /v2/alerts: 503');
  });

  it('that stalls in mid-body is given up', async () => {
    const stall: Reply = (_, response) => {
      response.writeHead(200);
      response.write('{"alerts"');
    };
    expect(await failureOf(stall, { timeoutMs: 100 })).toBeInstanceOf(ApiUnavailableError);
  });

  it('names the missing scope and keeps the request id', async () => {
    const error = (await failureOf({ status: 403, body: forbidden })) as PermissionError;
    expect(error.scope).toBe('alerts.view');
    expect(error.advice).toContain('alerts.view');
    expect(error.facts.requestId).toBe('ZtsoWDj7');
  });

  it('does not follow a redirect, which would take the key elsewhere', async () => {
    const elsewhere = await apiReplying({});
    const error = await failureOf({ status: 302, headers: { location: `${elsewhere.baseUrl}/v2/alerts` } });
    expect(error).toBeInstanceOf(UnexpectedResponseError);
    expect(elsewhere.asked).toEqual([]);
  });

  it('never shows the key, though the server repeats it', async () => {
    const error = await failureOf({ status: 400, body: { errors: [{ message: `bad ${apiKey}` }] } });
    expect(JSON.stringify([error.message, error.stack, error.cause, error])).not.toContain(apiKey);
    const reset = await failureOf((request) => request.socket.destroy());
    expect(JSON.stringify([reset.message, reset.stack, reset.cause, reset])).not.toContain(apiKey);
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

  it('lets a wait be ended without ending requests under way', async () => {
    const api = await apiReplying({ status: 429, headers: { 'retry-after': '600' } });
    const wait = new AbortController();
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const asking = client.get('/v2/alerts', [], {
      signal: new AbortController().signal,
      waitSignal: wait.signal,
      onRequest: () => setImmediate(() => wait.abort(new Error('time is up'))),
    });
    await expect(asking).rejects.toThrow('time is up');
  });
});

describe('requests', () => {
  const { signal } = new AbortController();

  it('are told of though no answer comes: their wait at the limit is no lack of progress', async () => {
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

  it('without a cursor go before those of the longest one: a plan must not wait for all of a first sync', async () => {
    const pace = new Pace();
    for (let spent = 0; spent < 1_200; spent += 1) await pace.turn({ work: 0, signal });
    const api = await apiReplying({});
    const client = createClient({ apiKey, baseUrl: api.baseUrl, pace });
    await Promise.all([
      client.get('/v2/alerts', [], { signal, work: 1_000 }),
      client.get('/v2/alerts', [], { signal, work: 1_001 }),
      client.get('/v1/identity', [], { signal }),
    ]);
    // On a slow machine the first one finds a token, before the others have asked.
    expect(api.asked.at(-1)).toBe('/v2/alerts');
    expect(api.asked).toContain('/v1/identity');
  });

  it('go past a proxy of the environment to an address of this machine: it would see the key', async () => {
    const proxy = await apiReplying({});
    const api = await apiReplying({});
    vi.stubEnv('HTTP_PROXY', proxy.baseUrl);
    vi.stubEnv('http_proxy', proxy.baseUrl);
    await get(api.baseUrl).finally(() => vi.unstubAllEnvs());
    expect([proxy.asked, api.asked]).toEqual([[], ['/v2/alerts']]);
  });
});

it('asks a proxy of the environment for a tunnel to incident.io, and shows it no key', async () => {
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
  const asking = get('https://incident.invalid').finally(() => vi.unstubAllEnvs());
  await expect(asking).rejects.toBeInstanceOf(ApiUnavailableError);
  expect(seen).toEqual([['incident.invalid:443', undefined]]);
});

describe('what the vendor may add', () => {
  const { signal } = new AbortController();

  it('a second page of a list that has come whole so far', async () => {
    const api = await apiReplying(
      { body: { severities: [{ id: '1' }], pagination_meta: { after: '1' } } },
      { body: { severities: [{ id: '2' }] } },
    );
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const page = (after?: string) =>
      readPage(client, tableNamed('severities'), { params: [] }, after, { signal });
    const first = await page();
    expect(first.after).toBe('1');
    expect((await page(first.after)).after).toBeUndefined();
    expect(api.asked).toEqual(['/v1/severities', '/v1/severities?after=1']);
  });

  it('a status without a category, of which nothing is asked', async () => {
    const api = await apiReplying({
      body: { incident_statuses: [{ id: '1' }, { id: '2', category: null }, { id: '3', category: 'new' }] },
    });
    const client = createClient({ apiKey, baseUrl: api.baseUrl });
    const { params } = await readReveals(client, tableNamed('incidents'), undefined, { signal });
    const values = params.map(([, value]) => value);
    expect(values).toContain('new');
    expect(values.filter((value) => value === 'undefined' || value === 'null')).toEqual([]);
  });
});

it('stops at once when it is cancelled', async () => {
  const cancel = new AbortController();
  const api = await apiReplying(() => cancel.abort(new Error('cancelled')));
  await expect(get(api.baseUrl, { signal: cancel.signal })).rejects.toThrow('cancelled');
});

describe('the base URL', () => {
  it.each([
    'http://example.com',
    'ftp://127.0.0.1',
    'incident.io',
    'http://127.0.0.1.example.com',
    'https://u:p@x.io',
  ])('cannot be %s', (url) => {
    expect(() => checkedBaseUrl(url)).toThrow(UsageError);
  });
  it.each(['https://api.incident.io', 'http://127.0.0.1:8080', 'http://localhost:1', 'http://[::1]:1'])(
    'can be %s',
    (url) => {
      expect(checkedBaseUrl(`${url}/`)).toBe(url);
    },
  );
});

describe('parseJson', () => {
  it('keeps every number, also those JavaScript cannot hold', () => {
    const { big, small } = parseJson('{"big": 9007199254740993, "small": 1e-400}') as Record<string, unknown>;
    expect([big, small].map((n) => (n as LosslessNumber).value)).toEqual(['9007199254740993', '1e-400']);
  });

  it('gives the same as JSON.parse for all other JSON', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const ordinary = JSON.stringify(JSON.parse(text));
        const exact = JSON.stringify(parseJson(text), (_, value: unknown) =>
          value instanceof LosslessNumber ? Number(value.value) : value,
        );
        expect(exact).toBe(ordinary);
      }),
    );
  });
});
