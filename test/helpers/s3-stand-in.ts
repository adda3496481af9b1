import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as send,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export type S3Request = { readonly method: string; readonly path: string };

/** What a stand-in does instead of handing over the store's answer. */
export type Fault =
  /** An error of the S3 API. */
  | { readonly status: number; readonly code: string; readonly headers?: { readonly [name: string]: string } }
  /** The store does what it was asked to, and the connection ends without a word. */
  | 'lose the answer'
  /** The connection ends in the middle of the body. */
  | 'cut the body';

/**
 * A server on loopback that hands requests on to a store, except where `fault` says otherwise. Gone after the test.
 * @returns its address
 */
export async function standInFor(
  store: string,
  fault: (request: S3Request) => Fault | undefined,
): Promise<string> {
  return serve(async (request, response) => {
    const body = await buffer(request);
    const asked = { method: request.method!, path: decodeURIComponent(request.url!) };
    const wrong = fault(asked);
    if (typeof wrong === 'object') {
      refuse(response, wrong);
      return;
    }
    const { status, headers, bytes } = await handOn(store, request, body);
    if (wrong === 'lose the answer') {
      response.destroy();
      return;
    }
    response.writeHead(status, headers);
    if (wrong === undefined) {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, bytes.byteLength / 2), () => response.destroy());
  });
}

/** A store that replaces objects though it is asked to write only where nothing is. */
export async function carelessStore(): Promise<string> {
  const objects = new Map<string, Buffer>();
  return serve(async (request, response) => {
    const key = request.url!.split('?')[0]!;
    const body = await buffer(request);
    if (request.method === 'PUT') objects.set(key, body);
    const found = request.method === 'GET' ? objects.get(key) : Buffer.from('<DeleteResult/>');
    if (found) response.end(found);
    else refuse(response, { status: 404, code: 'NoSuchKey' });
  });
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function refuse(response: ServerResponse, { status, code, headers }: Exclude<Fault, string>): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret of the store</Message></Error>`,
  );
}

/** The host stays the one that the client signed. */
async function handOn(
  store: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; bytes: Buffer }> {
  const request = send(new URL(url!, store), { method: method!, headers });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode!, headers: answer.headers, bytes: await buffer(answer) };
}
