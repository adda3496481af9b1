import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, it, onTestFinished } from 'vitest';
import { sandboxSecret, startSandbox } from '../../../src/sandbox/sandbox.ts';

const { events: documented } = JSON.parse(
  readFileSync(new URL('../../fixtures/webhook-events.json', import.meta.url), 'utf8'),
) as { readonly events: readonly string[] };

type Event = { readonly event_type: string; readonly [type: string]: unknown };

it('sends events as the vendor does: signed, only the id if private, and none for unreported changes', async () => {
  const events: Event[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      events.push(
        new Webhook(sandboxSecret).verify(text, request.headers as Record<string, string>) as Event,
      );
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const sandbox = await startSandbox({ limits: 'off', sizes: { incidents: 50, schedules: 2, users: 2 } });
  onTestFinished(() => sandbox.stop());
  const { port } = server.address() as AddressInfo;
  const sender = sandbox.sendWebhooks({ url: `http://127.0.0.1:${port}/`, secret: sandboxSecret });
  const incident = (visibility: string) =>
    [...sandbox.records('incidents')].find((row) => row['visibility'] === visibility)!['id'] as string;
  const status = { id: 'another', name: 'Another', category: 'live' };
  const told = async (act: () => void) => {
    const before = events.length;
    act();
    await sender.settled();
    return events.slice(before);
  };

  const moved = await told(
    () => void sandbox.change('incidents', incident('public'), { incident_status: status }),
  );
  expect(moved.map(({ event_type }) => event_type).toSorted()).toEqual([
    'public_incident.incident_status_updated_v2',
    'public_incident.incident_updated_v2',
  ]);
  const id = incident('private');
  const [hidden, ...more] = await told(
    () => void sandbox.change('incidents', id, { incident_status: status }),
  );
  expect(more).toEqual([]);
  expect(hidden).toEqual({
    event_type: 'private_incident.incident_updated_v2',
    'private_incident.incident_updated_v2': { id },
  });
  expect(await told(() => sandbox.remove('incidents', id))).toEqual([]);
  expect(
    await told(() => void sandbox.change('users', sandbox.idAt('users', 0), { name: 'Renamed' })),
  ).toEqual([]);

  const all = ['alerts', 'escalations', 'follow_ups', 'actions', 'schedules'];
  await told(() => all.forEach((table) => void sandbox.create(table)));
  await told(() => sandbox.remove('schedules', sandbox.idAt('schedules', 0)));
  expect(events.filter(({ event_type }) => !documented.includes(event_type))).toEqual([]);
  expect(events.map(({ event_type }) => event_type)).toContain('schedule.deleted_v1');
});
