import fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import {
  ApiUnavailableError,
  CredentialsError,
  CursorRejectedError,
  FilterRejectedError,
  PermissionError,
  type RequestError,
  UnexpectedResponseError,
  UsageError,
} from '../src/errors.ts';
import { checkedBaseUrl, createClient } from '../src/incident-io/client.ts';
import { parseJson } from '../src/incident-io/json.ts';
import { apiReplying, type Reply } from './helpers/api.ts';

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
