import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { memoryOf } from '../../../../src/cli/options/memory.ts';

it.each([
  ['512MB', 512e6],
  ['1GiB', 2 ** 30],
  ['1.5 gb', 1.5e9],
])('takes %s for its bytes', (text, bytes) => {
  expect(memoryOf(text)).toBe(bytes);
});

it.each(['512', 'MB', '1TB', '-1GB', '99MB', '1GBx'])('refuses %s', (text) => {
  expect(() => memoryOf(text)).toThrow(InvalidArgumentError);
});
