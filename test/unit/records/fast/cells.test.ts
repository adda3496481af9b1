import fc from 'fast-check';
import { expect, it } from 'vitest';

import { isUtcTime } from '../../../../src/records/fast/cells.ts';
import { utcTime } from '../../../../src/records/timestamps.ts';

it('recognises exactly the times that need no rewriting', () => {
  const digits = (length: number) =>
    fc.nat(10 ** length - 1).map((number) => String(number).padStart(length, '0'));
  const anyPlain = fc
    .tuple(
      digits(4),
      digits(2),
      digits(2),
      digits(2),
      digits(2),
      digits(2),
      fc.nat(8),
      fc.constantFrom('Z', 'z', '+00:00'),
    )
    .map(
      ([year, month, day, hour, minute, second, fraction, zone]) =>
        `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction > 0 ? `.${'123456789'.slice(0, fraction)}` : ''}${zone}`,
    );
  const near = fc
    .tuple(
      fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.nat(30),
      fc.constantFrom('', ' ', 'x', '3', ':'),
    )
    .map(([date, at, instead]) => {
      const text = date.toISOString();
      return text.slice(0, at) + instead + text.slice(at + instead.length);
    });
  const edges = fc.constantFrom(
    '2024-02-29T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-06-31T00:00:00Z',
    '2024-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T24:00:00Z',
  );
  fc.assert(
    fc.property(fc.oneof(anyPlain, near, edges), (text) => {
      const bytes = Buffer.from(`"${text}"`);
      expect(isUtcTime(bytes, 1, bytes.length - 1)).toBe(utcTime(text) === text);
    }),
    { numRuns: 3_000 },
  );
});
