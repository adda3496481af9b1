import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ApiRecord } from './data/source.ts';
import type { Fault, SandboxRequest } from './faults.ts';
import type { List } from './lists.ts';
import { problemOf } from './problems.ts';

export type Answer = {
  status: number;
  headers: OutgoingHttpHeaders;
  /** UTF-8 JSON, unless a fault replaces it. */
  body: Buffer;
};

/** What a fault may depend on. */
export type SpoilContext = {
  readonly request: SandboxRequest;
  readonly requestId: string;
  readonly list: List | undefined;
  readonly now: number;
};

const htmlPage = '<!doctype html><html><body><h1>We will be right back</h1></body></html>';

/** The response with the fault applied to its content. Faults of the transport are left to `send`. */
export function spoil(answer: Answer, fault: Fault, context: SpoilContext): Answer {
  const { headers } = answer;
  switch (fault.kind) {
    case 'error':
      return {
        status: fault.status,
        headers: { ...headers, ...retryAfter(fault, context.now) },
        body: Buffer.from(problemOf(fault.status).body(context.requestId)),
      };
    case 'html':
      return {
        status: fault.status,
        headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
        body: Buffer.from(htmlPage),
      };
    case 'redirect':
      return { status: 302, headers: { ...headers, Location: fault.location }, body: Buffer.alloc(0) };
    case 'without': {
      const isGone = (name: string) =>
        fault.headers === 'date' ? name === 'Date' : name.startsWith('X-RateLimit-');
      return { ...answer, headers: Object.fromEntries(Object.entries(headers).filter(([n]) => !isGone(n))) };
    }
    case 'repeat-cursor': {
      const after = fault.after ?? context.request.params.get('after');
      return after === null ? answer : rewritten(answer, (page) => withCursor(page, after));
    }
    case 'no-meta':
      // JSON leaves out what is undefined.
      return rewritten(answer, (page) => ({ ...page, pagination_meta: undefined }));
    case 'short':
      return rewritten(answer, (page) => shortened(page, fault, context));
    case 'endless': {
      if (context.list === undefined) return answer;
      const page = { [context.list.endpoint.records]: [] };
      const body = withCursor(page, `endless-${context.requestId}`);
      return { ...answer, status: 200, body: Buffer.from(JSON.stringify(body)) };
    }
    case 'body':
      return { ...answer, status: 200, body: Buffer.from(JSON.stringify(fault.body)) };
    case 'cut':
    case 'stall':
    case 'reset':
      return answer;
  }
}

type Page = {
  readonly [key: string]: unknown;
  readonly pagination_meta?: Readonly<Record<string, unknown>> | undefined;
};

/** A good response with another body. Errors stay as they are. */
function rewritten(answer: Answer, rewrite: (page: Page) => Page): Answer {
  if (answer.status !== 200) return answer;
  const page = JSON.parse(answer.body.toString()) as Page;
  return { ...answer, body: Buffer.from(JSON.stringify(rewrite(page))) };
}

function withCursor(page: Page, after: string | undefined): Page {
  return { ...page, pagination_meta: { ...page.pagination_meta, after } };
}

function shortened(
  page: Page,
  { rows: most, after }: Extract<Fault, { kind: 'short' }>,
  { list, request }: SpoilContext,
): Page {
  if (list === undefined) return page;
  const { records } = list.endpoint;
  const rows = (page[records] as ApiRecord[]).slice(0, most);
  const shorter = { ...page, [records]: rows };
  if (list.endpoint.paging === undefined) return shorter;
  const last = rows.at(-1);
  const cursor = last ? list.rows.idOf(last) : (request.params.get('after') ?? undefined);
  return withCursor(shorter, after === 'none' ? undefined : cursor);
}

function retryAfter(
  { retryAfterSeconds: seconds, retryAfterIs }: Extract<Fault, { kind: 'error' }>,
  now: number,
): OutgoingHttpHeaders {
  if (seconds === undefined) return {};
  const date = new Date(now + seconds * 1000).toUTCString();
  return { 'Retry-After': retryAfterIs === 'date' ? date : seconds };
}

/** Sends the response, or as much of it as the fault lets through. */
export function send(response: ServerResponse, answer: Answer, fault: Fault | undefined): void {
  if (fault?.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.sendDate = false;
  const { body } = answer;
  if (fault?.kind === 'stall') {
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length }).flushHeaders();
    return;
  }
  if (fault?.kind === 'cut') {
    const half = body.subarray(0, body.length >>> 1);
    if (fault.framing === 'chunked') {
      response.writeHead(answer.status, answer.headers).write(half);
      response.end();
      return;
    }
    const length = fault.framing === 'aborted' ? body.length : half.length;
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': length });
    if (fault.framing === 'aborted') response.write(half, () => response.destroy());
    else response.end(half);
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length }).end(body);
}
