import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keepSecret } from '../../../src/secrets.ts';
import { createLog } from '../../../src/serving/logs.ts';

const key = 'inc_"seKret\\1';
keepSecret(key);

/** The text that one call of a log writes. */
function written(message: string, facts: { readonly [name: string]: unknown }, isTTY = false): string {
  let text = '';
  createLog({ write: (line) => (text += line), isTTY })('warn', message, facts);
  return text;
}

it('writes one JSON object per line for any facts, with the key cut out wherever it occurs', () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.string(), fc.string()).map(([a, b]) => `${a}${key}${b}`),
  );
  const facts = fc.dictionary(
    text,
    fc.anything({
      key: text,
      values: [text, fc.bigInt(), fc.date(), text.map((message) => new Error(message)), fc.double()],
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
    }),
  );
  fc.assert(
    fc.property(text, facts, (message, some) => {
      const line = written(message, some);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const { level, time } = JSON.parse(line) as { level: string; time: string };
      expect({ level, isTime: !Number.isNaN(Date.parse(time)) }).toEqual({ level: 'warn', isTime: true });
      expect(line).not.toContain('seKret');
      const shown = written(message, some, true);
      expect(shown.indexOf('\n')).toBe(shown.length - 1);
      expect(shown).not.toContain('seKret');
    }),
  );
});

it('shows only message, stack and causes of an error: other properties may be requests with their headers', () => {
  const cause = Object.assign(new Error('socket hang up'), {
    config: { headers: { authorization: 'Bearer x' } },
  });
  const error = new Error('no whole answer', { cause });
  const line = written('it failed', { error });
  expect(line).not.toContain('Bearer');
  expect(JSON.parse(line)).toMatchObject({
    error: { type: 'Error', message: 'no whole answer', cause: { message: 'socket hang up' } },
  });
});

it('ends at an object that contains itself', () => {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  expect(written('loop', { loop })).toContain('…');
});
