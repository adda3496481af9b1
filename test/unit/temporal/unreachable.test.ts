import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureServer, createServer as createHttp2Server } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connectTemporal } from '../../../src/temporal/connection.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
/** Self-signed, for 127.0.0.1. */
const certificate = fixture('certificate.pem');
const identity = { cert: readFileSync(certificate), key: readFileSync(fixture('key.pem')) };

/** The address of a server that is stopped at the end of the test. */
async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const tlsServer = (options: { requestCert?: boolean; rejectUnauthorized?: boolean; ca?: Buffer } = {}) => {
  const server = createSecureServer({ ...identity, ...options });
  // These tests expect clients that break off the handshake.
  server.on('session', (session) => session.on('error', () => undefined));
  return server;
};
const answering = (answer: string) =>
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(answer);
  });

type Refused = { readonly name: string; readonly message: string; readonly advice: string };

async function errorAt(address: string, variables: NodeJS.ProcessEnv = {}): Promise<Refused> {
  const env = { TEMPORAL_CONFIG_FILE: '/nonexistent', ...variables, TEMPORAL_ADDRESS: address };
  const access = connectTemporal({ env, report: () => undefined });
  return access.then(
    () => expect.unreachable('it connects'),
    (error: unknown) => error as Refused,
  );
}

const tls = { TEMPORAL_TLS: 'true' };
const trusting = { ...tls, TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificate };

test('an unknown authority is named, with where to put its certificate', async () => {
  const address = await listening(tlsServer());
  const error = await errorAt(address, tls);
  expect(error).toMatchObject({ name: 'TemporalUnavailableError' });
  expect(error.message).toMatch(new RegExp(`TLS.*${address}.*authority`));
  expect(error.advice).toMatch(/ca-certificates.*TEMPORAL_TLS_SERVER_CA_CERT_PATH/);
});

test('a certificate for another host is named, with the variable for its name', async () => {
  const address = await listening(tlsServer());
  const error = await errorAt(address, { ...trusting, TEMPORAL_TLS_SERVER_NAME: 'temporal.example' });
  expect(error.message).toMatch(/another host/);
  expect(error.advice).toContain('TEMPORAL_TLS_SERVER_NAME');
});

test('a server that wants a client certificate is named, with the variables for it', async () => {
  const ca = identity.cert;
  const address = await listening(tlsServer({ requestCert: true, rejectUnauthorized: true, ca }));
  const error = await errorAt(address, trusting);
  expect(error.message).toMatch(/TLS/);
  expect(error.advice).toMatch(/TEMPORAL_TLS_CLIENT_CERT_PATH.*TEMPORAL_TLS_CLIENT_KEY_PATH/);
});

test('a server without TLS is distinguished from one that does not answer', async () => {
  const address = await listening(answering('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const error = await errorAt(address, tls);
  expect(error.message).toMatch(new RegExp(`${address}.*does not speak TLS`));
  expect(error.advice).toContain('TEMPORAL_TLS');
});

test.for([
  ['expects TLS', () => tlsServer()],
  ['closes every connection', () => answering('')],
  ['speaks HTTP/1', () => answering('HTTP/1.1 400 Bad Request\r\n\r\n')],
] as const)('a server that %s is told from one that does not answer', async ([, server]) => {
  const address = await listening(server());
  const error = await errorAt(address);
  expect(error.message).toMatch(new RegExp(`${address} accepts connections`));
  expect(error.advice).toContain('TEMPORAL_TLS=true');
});

test.for([
  ['16', 'Request unauthorized.'],
  ['7', 'Not allowed.'],
])(
  'a server that refuses access (gRPC status %s) is distinguished from one that does not answer',
  async ([status, words]) => {
    const server = createHttp2Server().on('stream', (stream) =>
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status, 'grpc-message': words },
        { endStream: true },
      ),
    );
    const address = await listening(server);
    const error = await errorAt(address);
    expect(error.message).toMatch(new RegExp(`${address}.*${words}`));
    expect(error.advice).toContain('TEMPORAL_API_KEY');
  },
);

test('an address that is not one is an error of usage', async () => {
  expect(await errorAt('not an address')).toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining('"not an address"') as string,
  });
});

test('an unreachable server is an error that names its address', async () => {
  expect(await errorAt('127.0.0.1:1')).toMatchObject({
    name: 'TemporalUnavailableError',
    message: expect.stringMatching(/127\.0\.0\.1:1: Connection refused/) as string,
    advice: expect.stringContaining('TEMPORAL_ADDRESS') as string,
  });
});
