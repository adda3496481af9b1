import { expect, it } from 'vitest';

import { defined } from '../../src/defined.ts';

it('only undefined fields are left out, not those that are null, false, 0 or empty', () => {
  const fields = { a: undefined, b: null, c: false, d: 0, e: '' };
  expect(Object.keys(defined(fields))).toEqual(['b', 'c', 'd', 'e']);
});
