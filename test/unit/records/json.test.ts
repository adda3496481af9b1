import fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';

import { parseJson } from '../../../src/records/json.ts';

describe('parseJson', () => {
  it('keeps every number, including those that JavaScript cannot hold', () => {
    const { big, small } = parseJson('{"big": 9007199254740993, "small": 1e-400}') as Record<string, unknown>;
    expect([big, small].map((n) => (n as LosslessNumber).value)).toEqual(['9007199254740993', '1e-400']);
  });

  it('returns the same as JSON.parse for all other JSON', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const ordinary = JSON.stringify(JSON.parse(text));
        const exact = JSON.stringify(parseJson(text), (_, value: unknown) =>
          value instanceof LosslessNumber ? Number(value.value) : value,
        );
        expect(exact).toBe(ordinary);
      }),
    );
  });
});
