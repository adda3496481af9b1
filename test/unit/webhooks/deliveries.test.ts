import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deliveries, type SignedHeaders } from '../../../src/webhooks/deliveries.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const [current, former] = ['one secret of the tests', 'the other secret of it'].map(
  (text) => new Webhook(Buffer.from(text).toString('base64')),
) as [Webhook, Webhook];
const body = Buffer.from('{"event_type":"schedule.created_v1"}');

/** A delivery signed as the sender does, `agoSeconds` before now. */
function signed(id: string, { agoSeconds = 0, by = current } = {}): SignedHeaders {
  const at = new Date(Date.now() - agoSeconds * 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': by.sign(id, at, body),
  };
}

it('accepts deliveries signed with either of two secrets, and no others', () => {
  const deliveries = new Deliveries();
  expect(deliveries.take(body, signed('a'), [current, former])).toBe('new');
  expect(deliveries.take(body, signed('b', { by: former }), [current, former])).toBe('new');
  expect(deliveries.take(body, signed('c', { by: former }), [current])).toBe('badly_signed');
  expect(deliveries.take(Buffer.from('{}'), signed('d'), [current])).toBe('badly_signed');
  const other = { ...signed('e'), 'webhook-id': 'f' };
  expect(deliveries.take(body, other, [current])).toBe('badly_signed');
});

it('accepts one of several signatures in the header, as while a secret is replaced', () => {
  const headers = signed('a');
  const both = { ...headers, 'webhook-signature': `v1a,xyz v1 v1,AAAA ${headers['webhook-signature']}` };
  expect(new Deliveries().take(body, both, [current])).toBe('new');
});

it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])(
  'refuses a delivery without %s',
  (header) => {
    const { [header as 'webhook-id']: _, ...headers } = signed('a');
    expect(['old', 'badly_signed']).toContain(
      new Deliveries().take(body, headers as SignedHeaders, [current]),
    );
  },
);

it('refuses deliveries more than five minutes old or ahead, even if they are signed', () => {
  const deliveries = new Deliveries();
  expect(deliveries.take(body, signed('a', { agoSeconds: 299 }), [current])).toBe('new');
  expect(deliveries.take(body, signed('b', { agoSeconds: 302 }), [current])).toBe('old');
  expect(deliveries.take(body, signed('c', { agoSeconds: -302 }), [current])).toBe('old');
});

it('distinguishes a copy of a delivery from a message that is sent again', () => {
  const deliveries = new Deliveries();
  const first = signed('a');
  expect(deliveries.take(body, first, [current])).toBe('new');
  expect(deliveries.take(body, first, [current])).toBe('replayed');
  // The library reads the time as a number, so that this is the same one.
  const disguised = { ...first, 'webhook-timestamp': `${first['webhook-timestamp']} ` };
  expect(deliveries.take(body, disguised, [current])).toBe('replayed');
  vi.advanceTimersByTime(5_000);
  expect(deliveries.take(body, signed('a'), [current])).toBe('resent');
  expect(deliveries.take(body, first, [current])).toBe('replayed');
});

it('refuses a copy while its time is within the limit, and later because it is old', () => {
  const deliveries = new Deliveries();
  // From a sender whose clock is ahead.
  const first = signed('a', { agoSeconds: -290 });
  expect(deliveries.take(body, first, [current])).toBe('new');
  for (let minute = 0; minute < 9; minute += 1) {
    vi.advanceTimersByTime(60_000);
    deliveries.take(body, signed(`other ${minute}`), [current]);
    expect(deliveries.take(body, first, [current])).toBe('replayed');
  }
  vi.advanceTimersByTime(60_000);
  expect(deliveries.take(body, first, [current])).toBe('old');
});

it('does not remember badly signed deliveries, so that the message itself is still accepted', () => {
  const deliveries = new Deliveries();
  expect(deliveries.take(body, signed('a', { by: former }), [current])).toBe('badly_signed');
  expect(deliveries.take(body, signed('a'), [current])).toBe('new');
});
