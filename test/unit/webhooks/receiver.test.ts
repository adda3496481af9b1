import { request } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { largestBody } from '../../../src/webhooks/body.ts';
import type { DeliveryOutcome } from '../../../src/webhooks/hint-figures.ts';
import { KnownSecrets } from '../../../src/webhooks/known-secrets.ts';
import { serveReceiver } from '../../../src/webhooks/receiver.ts';
import { freePort } from '../../helpers/serving.ts';

const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`;
const variable = 'WEBHOOK_SECRET_OF_THE_TESTS';
beforeEach(() => {
  process.env[variable] = secret;
  return () => Reflect.deleteProperty(process.env, variable);
});

const hourly = { syncMethod: 'incremental', every: '1h' } as const;
function connectionNamed(connection: string, reference = variable): Settings {
  return {
    connection,
    webhooks: { secret: { env: reference } },
    tables: { incidents: hourly, incident_updates: hourly },
  } as unknown as Settings;
}

/** A receiver for the connections `prod` and, without its secret, `bare`, and what it reports. */
async function receiver() {
  const settings = [connectionNamed('prod'), connectionNamed('bare', 'NO_SUCH_VARIABLE')];
  const outcomes: DeliveryOutcome[] = [];
  const events: (readonly string[])[] = [];
  const log: string[] = [];
  const secrets = new KnownSecrets(
    () => settings,
    (_level, message) => void log.push(message),
  );
  await secrets.read();
  const address = `127.0.0.1:${await freePort()}`;
  const served = await serveReceiver(address, {
    connection: (name) => settings.find(({ connection }) => connection === name),
    secrets,
    log: (_level, message) => void log.push(message),
    onDelivery: (outcome) => void outcomes.push(outcome),
    onEvent: ({ connection }, tables) => void events.push([connection, ...tables.map(({ name }) => name)]),
  });
  onTestFinished(() => served.close());
  const post = async (path: string, body: string, { id = 'msg_1', by = secret, ageMs = 0 } = {}) => {
    const at = new Date(Date.now() - ageMs);
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(by).sign(id, at, body),
    };
    return (await fetch(`http://${address}${path}`, { method: 'POST', headers, body })).status;
  };
  return { address, outcomes, events, log, post, secrets };
}

const event = (type: string) => JSON.stringify({ event_type: type, [type]: { id: '01', name: 'Someone' } });
const updated = event('public_incident.incident_updated_v2');

it('accepts a signed event and gives a hint to each of its tables that the settings have', async () => {
  const { post, events, outcomes } = await receiver();
  expect(await post('/webhooks/prod', updated)).toBe(204);
  expect(await post('/webhooks/prod', event('private_incident.incident_created_v2'), { id: 'msg_2' })).toBe(
    204,
  );
  const both = ['prod', 'incident_updates', 'incidents'];
  expect(events).toEqual([both, both]);
  expect(await post('/webhooks/prod', event('public_alert.alert_created_v1'), { id: 'msg_3' })).toBe(204);
  expect(outcomes).toEqual(['taken', 'taken', 'no_table']);
  expect(events).toHaveLength(2);
});

it('refuses deliveries that are badly signed, old, a copy, not an event or too large, without a hint', async () => {
  const { post, events, outcomes } = await receiver();
  const other = `whsec_${Buffer.from('another secret of it').toString('base64')}`;
  expect(await post('/webhooks/prod', updated, { by: other })).toBe(401);
  expect(await post('/webhooks/prod', updated, { ageMs: 400_000 })).toBe(401);
  expect(await post('/webhooks/prod', '{"event_type":', { id: 'msg_2' })).toBe(400);
  expect(await post('/webhooks/prod', '{"event_type":1}', { id: 'msg_3' })).toBe(400);
  expect(await post('/webhooks/prod', 'null', { id: 'msg_4' })).toBe(400);
  const large = JSON.stringify({ event_type: 'a', padding: 'x'.repeat(largestBody) });
  expect(await post('/webhooks/prod', large, { id: 'msg_5' })).toBe(413);
  expect(events).toEqual([]);
  expect(await post('/webhooks/prod', updated, { ageMs: 1_000 })).toBe(204);
  expect(await post('/webhooks/prod', updated, { ageMs: 1_000 })).toBe(409);
  expect(outcomes.toSorted()).toEqual(
    ['badly_signed', 'not_json', 'not_json', 'not_json', 'old', 'replayed', 'taken', 'too_large'].toSorted(),
  );
  expect(events).toHaveLength(1);
});

it('answers a message that is sent again with 204, so that the sender stops, without a second hint', async () => {
  const { post, events, outcomes } = await receiver();
  expect(await post('/webhooks/prod', updated, { ageMs: 5_000 })).toBe(204);
  expect(await post('/webhooks/prod', updated)).toBe(204);
  expect(outcomes).toEqual(['taken', 'resent']);
  expect(events).toHaveLength(1);
});

it('answers an unknown connection with 404 for any signature, and one without its secret with 503', async () => {
  const { post, outcomes, log } = await receiver();
  expect(await post('/webhooks/nobody', updated)).toBe(404);
  expect(await post('/webhooks/nobody', 'not json')).toBe(404);
  expect(await post('/webhooks/bare', updated)).toBe(503);
  expect(outcomes).toEqual(['unknown_connection', 'unknown_connection', 'no_secret']);
  expect(log.filter((message) => message.includes('webhooks of a connection'))).toHaveLength(1);
});

it('checks as many signatures for an unknown connection as for a known one', async () => {
  const { secrets } = await receiver();
  expect(secrets.of(connectionNamed('prod')).checks).toHaveLength(1);
  expect(secrets.of(undefined).checks).toHaveLength(1);
  process.env[variable] = `${secret}\nwhsec_${Buffer.from('the secret that follows').toString('base64')}`;
  await secrets.read();
  expect(secrets.of(connectionNamed('prod')).checks).toHaveLength(2);
  expect(secrets.of(undefined).checks).toHaveLength(2);
  expect(secrets.of(connectionNamed('bare')).checks).toHaveLength(2);
});

it('accepts an unknown event, and logs its name once', async () => {
  const { post, outcomes, log } = await receiver();
  const unknown = event('public_incident.incident_sung_v1');
  expect(await post('/webhooks/prod', unknown)).toBe(204);
  expect(await post('/webhooks/prod', unknown, { id: 'msg_2' })).toBe(204);
  expect(outcomes).toEqual(['unknown_event', 'unknown_event']);
  expect(log.filter((message) => message.includes('does not know'))).toHaveLength(1);
});

it('answers other methods with 405 and other paths with 404', async () => {
  const { address } = await receiver();
  const get = await fetch(`http://${address}/webhooks/prod`);
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
  const others = ['/', '/webhooks', '/webhooks/', '/webhooks/prod/more', '/metrics'];
  const statuses = others.map(
    async (path) => (await fetch(`http://${address}${path}`, { method: 'POST' })).status,
  );
  expect(new Set(await Promise.all(statuses))).toEqual(new Set([404]));
});

it('survives a sender that goes away in the middle of a body', async () => {
  const { address, post, outcomes } = await receiver();
  await new Promise<void>((resolve) => {
    const half = request(`http://${address}/webhooks/prod`, {
      method: 'POST',
      headers: { 'content-length': 99 },
    });
    half.on('error', () => resolve());
    half.write('{"event_type"', () => half.destroy(new Error('gone')));
  });
  expect(await post('/webhooks/prod', updated)).toBe(204);
  expect(outcomes).toEqual(['taken']);
});

it.each(['nonsense', '127.0.0.1:99999'])('refuses to listen at %s', async (address) => {
  const secrets = new KnownSecrets(
    () => [],
    () => undefined,
  );
  const world = { connection: () => undefined, secrets, log: () => undefined };
  const serving = serveReceiver(address, { ...world, onDelivery: () => undefined, onEvent: () => undefined });
  await expect(serving).rejects.toThrow(UsageError);
});
