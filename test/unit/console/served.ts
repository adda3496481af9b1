import { request as httpRequest } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { onTestFinished } from 'vitest';
import { type ConsoleAddress, type RunningConsole, startConsole } from '../../../src/console/console.ts';
import { Sources } from '../../../src/console/sources.ts';
import { createLog } from '../../../src/serving/logs.ts';

export type Answered = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
};

export type Served = RunningConsole & {
  readonly folder: string;
  /** All lines that it has logged. */
  readonly logged: () => string;
  /** Sends a request exactly as given: unlike fetch, it accepts any Host and Origin. */
  readonly send: (
    path: string,
    options?: {
      readonly method?: string;
      readonly headers?: { readonly [name: string]: string };
      readonly body?: string;
    },
  ) => Promise<Answered>;
};

/** A console on loopback whose Temporal server is never asked. */
export async function served(address: ConsoleAddress = { listen: '127.0.0.1:0' }): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-console-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const page = join(folder, 'page');
  await mkdir(join(page, 'assets'), { recursive: true });
  await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(page, 'assets', 'page-1a2b.js'), 'export {};');
  await writeFile(join(folder, 'outside.js'), 'not part of the page');
  let lines = '';
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  onTestFinished(() => connection.close());
  const world = {
    client: new Client({ connection }),
    sources: new Sources([folder]),
    log: createLog({ write: (line) => (lines += line) }),
    signal: new AbortController().signal,
    temporalUi: undefined,
    sandbox: undefined,
    serve: undefined,
  };
  const running = await startConsole(world, address, page);
  onTestFinished(() => running.close());
  const { port } = running;
  return {
    ...running,
    folder,
    logged: () => lines,
    send: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
        });
        request.on('error', reject);
        request.end(body);
      }),
  };
}
