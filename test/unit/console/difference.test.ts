import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differenceOf } from '../../../src/console/change/difference.ts';

it('shows one changed setting as one line removed and one added', () => {
  const before = '{\n  "every": "15m",\n  "nested": true\n}\n';
  const lines = differenceOf(before, before.replace('15m', '1h'));
  expect(lines.map(({ kind }) => kind)).toEqual(['same', 'removed', 'added', 'same', 'same']);
});

it('never loses or invents a line, for any change', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const lines = differenceOf(a.join('\n'), b.join('\n'));
      const without = (kind: string) => lines.filter((line) => line.kind !== kind).map((line) => line.text);
      expect(without('added')).toEqual(a);
      expect(without('removed')).toEqual(b);
    }),
  );
});
