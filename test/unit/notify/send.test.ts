import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { KeyMissingError, NotifyError, UsageError } from '../../../src/errors.ts';
import type { Message } from '../../../src/notify/message.ts';
import { resolveAddress, sendMessage } from '../../../src/notify/send.ts';

const message: Message = {
  text: 'users FAILING',
  connection: 'prod',
  tables: [{ table: 'users', state: 'failing' }],
};
const never = new AbortController().signal;

/** A receiver that answers with these statuses, the last one from then on, and what it was sent. */
async function receiver(...statuses: readonly number[]) {
  const sent: { readonly path: string; readonly body: unknown }[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      sent.push({ path: request.url ?? '', body: JSON.parse(text) });
      const status = statuses[Math.min(sent.length, statuses.length) - 1]!;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/secret-path`), sent };
}

it('sends a message as JSON, and again if the receiver is down for a moment', async () => {
  const { url, sent } = await receiver(503, 200);
  await sendMessage(url, message, never);
  expect(sent).toEqual([
    { path: '/secret-path', body: message },
    { path: '/secret-path', body: message },
  ]);
});

it.each([302, 400, 404])(
  'gives up at once after %s, follows no redirect, and does not quote the address',
  async (status) => {
    const { url, sent } = await receiver(status);
    const refused = sendMessage(url, message, never);
    await expect(refused).rejects.toThrow(NotifyError);
    await expect(refused).rejects.toThrow(String(status));
    await expect(refused).rejects.not.toThrow('secret-path');
    expect(sent).toHaveLength(1);
  },
);

it('does not keep a process that stops from stopping, if the receiver is dead', async () => {
  const stopping = new AbortController();
  const { url } = await receiver(500);
  const sending = sendMessage(url, message, stopping.signal);
  stopping.abort();
  await expect(sending).rejects.toThrow('aborted');
});

it('reads its address from the place in the settings, and accepts only https outside this machine', async () => {
  const variable = 'NOTIFY_URL_OF_THE_TESTS';
  onTestFinished(() => void Reflect.deleteProperty(process.env, variable));
  await expect(resolveAddress({ env: variable })).rejects.toThrow(KeyMissingError);
  process.env[variable] = 'http://hooks.example.com/T000/secret';
  await expect(resolveAddress({ env: variable })).rejects.toThrow(UsageError);
  await expect(resolveAddress({ env: variable })).rejects.not.toThrow('T000');
  process.env[variable] = 'https://hooks.example.com/T000/secret\n';
  expect((await resolveAddress({ env: variable })).href).toBe('https://hooks.example.com/T000/secret');
});
