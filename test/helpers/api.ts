import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Reply =
  | { status?: number; headers?: Record<string, string>; body?: unknown; text?: string }
  | ((request: IncomingMessage, response: ServerResponse) => void);

export type ScriptedApi = {
  baseUrl: string;
  /** Path and decoded query of each request. */
  asked: string[];
  headers: IncomingMessage['headers'][];
};

/** An API on loopback that sends these replies in turn, and then repeats the last one. */
export async function apiReplying(...replies: Reply[]): Promise<ScriptedApi> {
  const asked: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''));
    headers.push(request.headers);
    const reply = replies.length > 1 ? replies.shift()! : replies[0]!;
    if (typeof reply === 'function') return reply(request, response);
    const { status = 200, headers: extra = {}, body = {}, text = JSON.stringify(body) } = reply;
    response.writeHead(status, { 'content-type': 'application/json', ...extra }).end(text);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, headers };
}
