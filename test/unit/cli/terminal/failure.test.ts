import { expect, it } from 'vitest';
import { cli } from '../../../helpers/cli.ts';

it.each([
  [['statu'], 'status'],
  [['sync', '--too', 'x'], '--to'],
])('%j is taken for a slip', async (argv, meant) => {
  const { code, err } = await cli(argv);
  expect(code).toBe(2);
  expect(err).toContain(` ${meant}?`);
});

it.each(['list', 'start', 'frobnicate'])('%s is not: the nearest command would mislead', async (word) => {
  const { code, err } = await cli([word]);
  expect(code).toBe(2);
  expect(err).toContain('--help');
  expect(err).not.toContain('?');
});

it('without a command, prints the help and exits as for wrong usage', async () => {
  const { code, err } = await cli([]);
  expect(code).toBe(2);
  expect(err).toMatch(/^Usage: /);
});
