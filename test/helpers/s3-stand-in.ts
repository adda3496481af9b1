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

export type S3Request = {
  readonly method: string;
  readonly path: string;
  readonly keyId: string | undefined;
};

/** What a stand-in does instead of forwarding the store's answer. */
export type Fault =
  /** An error of the S3 API. */
  | { readonly status: number; readonly code: string; readonly headers?: { readonly [name: string]: string } }
  /** A page that is not an answer of the S3 API. */
  | { readonly status: number; readonly page: string }
  /** The store does as it was asked, and the connection ends without an answer. */
  | 'lose the answer'
  /** The connection ends in the middle of the body. */
  | 'cut the body';

/**
 * A server on loopback that passes requests on to a store, unless `fault` says otherwise. It is gone after the test.
 * @returns its address
 */
export async function standInFor(
  store: string,
  fault: (request: S3Request) => Fault | undefined,
): Promise<string> {
  return serve(async (request, response) => {
    const body = await buffer(request);
    const keyId = /Credential=([^/]*)/.exec(request.headers.authorization ?? '')?.[1];
    const asked = { method: request.method!, path: decodeURIComponent(request.url!), keyId };
    const wrong = fault(asked);
    if (typeof wrong === 'object') {
      if ('page' in wrong) response.writeHead(wrong.status).end(wrong.page);
      else refuse(response, wrong);
      return;
    }
    const { status, headers, bytes } = await passOn(store, request, body);
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

/** A server on loopback that is gone after the test; its address. */
export async function serve(
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

/** Answers with an error of the S3 API. */
export function refuse(
  response: ServerResponse,
  { status, code, headers }: Extract<Fault, { readonly code: string }>,
): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  response.end(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret of the store</Message></Error>`,
  );
}

/** Passes a request on. Its `host` header stays as the client signed it. */
async function passOn(
  store: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: IncomingMessage['headers']; bytes: Buffer }> {
  const request = send(new URL(url!, store), { method: method!, headers });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode!, headers: answer.headers, bytes: await buffer(answer) };
}
