import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../../src/notify/message.ts';
import { notifyPeople, type NotifyWorld } from '../../../src/notify/notify.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { link, type Linked } from '../../helpers/linked.ts';
import { fullRefresh, smallSandbox } from '../../helpers/operated.ts';
import { connectToTestServer, unique } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

/** A receiver of messages, with those that it got. */
async function receiver(): Promise<{ readonly url: string; readonly messages: Message[] }> {
  const messages: Message[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      messages.push(JSON.parse(text) as Message);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, messages };
}

/** Tells people, as a serving process does, until the returned function is called. */
function telling({ settings, warehouse }: Linked): () => Promise<void> {
  const done = new AbortController();
  const { client } = temporal;
  const world: NotifyWorld = {
    connections: () => [settings],
    client,
    withWarehouse: (_settings, work) => work(warehouse),
    log: () => undefined,
    everyMs: 100,
  };
  const told = notifyPeople(world, done.signal);
  return async () => {
    done.abort();
    await told;
  };
}

it('reports once that a table fails, not again after a restart, and that it has recovered', async () => {
  const sandbox = await smallSandbox();
  const linked = await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh });
  const { url, messages } = await receiver();
  const variable = unique('NOTIFY').replaceAll('-', '_');
  process.env[variable] = url;
  onTestFinished(() => void Reflect.deleteProperty(process.env, variable));
  Object.assign(linked.settings, { notify: { url: { env: variable } } });

  await linked.serving(async () => {
    await linked.run('severities');
    const mend = sandbox.fault({ table: 'users', fault: { kind: 'error', status: 403 } });
    await expect(linked.run('users')).rejects.toThrow('Workflow execution failed');
    for (const table of ['users', 'severities']) await linked.schedule(table).unpause();
    let stop = telling(linked);
    await expect.poll(() => messages.length).toBe(1);
    expect(messages[0]).toMatchObject({
      connection: linked.settings.connection,
      text: expect.stringContaining('users FAILING') as string,
      tables: [{ table: 'users', state: 'failing', error: 'PermissionError' }],
    });
    await expect.poll(() => linked.warehouse.readNote(`${linked.settings.connection}-told`)).toBeDefined();
    await stop();

    stop = telling(linked);
    mend();
    await linked.run('users');
    await expect.poll(() => messages.length).toBe(2);
    expect(messages[1]).toMatchObject({ tables: [{ table: 'users', state: 'recovered' }] });
    await stop();
  });
});
