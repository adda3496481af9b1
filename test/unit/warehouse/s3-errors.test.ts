import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  DestinationCredentialsError,
  DestinationError,
  DestinationUnavailableError,
  SourceError,
} from '../../../src/errors.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import type { Store } from '../../../src/warehouse/store/store.ts';
import { awsVariables, setEnv } from '../../helpers/environment.ts';
import { refuse, serve } from '../../helpers/s3-stand-in.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

/** A store at an endpoint that gives every request the same answer. */
async function storeThatAnswers(status: number, body: string): Promise<Store> {
  setEnv(awsVariables);
  const url = await serve(async (request, response) => {
    request.resume();
    await once(request, 'end');
    response.writeHead(status).end(body);
  });
  return openStore(`s3://bucket/tables?endpoint=${url}`);
}

async function errorOf(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.catch((error: unknown) => error);
  if (!(error instanceof SourceError)) throw new Error('This is not one of our errors.', { cause: error });
  expect(`${error.message} ${error.advice}`).not.toContain('secret');
  return error;
}

const html = '<!DOCTYPE html><html><head><title>secret</title></head><body><hr>nginx & co</body></html>';
const xhtml = '<html><body>secret</body></html>';
const json = '{"error":"secret"}';

describe('a page of a proxy in front of the store is blamed neither on the store nor on its credentials', () => {
  it.each([
    [502, html, DestinationUnavailableError],
    [503, json, DestinationUnavailableError],
    [400, html, DestinationError],
    [403, xhtml, DestinationError],
    [404, html, DestinationError],
    [404, xhtml, DestinationError],
    [404, '', DestinationError],
    [302, json, DestinationError],
  ])('%s %j', async (status, body, kind) => {
    const store = await storeThatAnswers(status, body);
    const error = await errorOf(store.read('a/x'));
    // Not a subclass, such as an error about permissions.
    expect(error.constructor).toBe(kind);
    expect(error.message).toContain(`s3:GetObject on s3://bucket/tables/a/x was answered with ${status}`);
  });

  it.each([html, xhtml, json, ''])('200 %j to a listing', async (body) => {
    const store = await storeThatAnswers(200, body);
    expect((await errorOf(store.list(''))).constructor).toBe(DestinationError);
  });
});

it('an answer of the service that gives out credentials is not mistaken for the store’s', async () => {
  const token = join(await temporaryFolder(), 'token');
  await writeFile(token, 'secret');
  const url = await serve(async (request, response) => {
    request.resume();
    await once(request, 'end');
    refuse(response, { status: 403, code: 'AccessDenied' });
  });
  setEnv({
    ...awsVariables,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/any',
    AWS_ENDPOINT_URL_STS: url,
  });
  const store = await openStore('s3://bucket/tables?endpoint=http://127.0.0.1:1&region=us-east-1');
  const error = await errorOf(store.read('a/x'));
  expect(error).toBeInstanceOf(DestinationCredentialsError);
  expect(error.message).toContain('403');
});

it('a server that does not speak HTTP is a wrong endpoint', async () => {
  setEnv(awsVariables);
  const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
  onTestFinished(() => void server.close());
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const store = await openStore(`s3://bucket/tables?endpoint=http://127.0.0.1:${port}`);
  expect((await errorOf(store.read('a/x'))).constructor).toBe(DestinationError);
});
