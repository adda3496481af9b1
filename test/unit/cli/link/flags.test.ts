import { expect, it } from 'vitest';
import { tableSettingsOf } from '../../../../src/cli/commands/link/flags.ts';
import type { LinkOptions } from '../../../../src/cli/commands/link/answers.ts';
import { UsageError } from '../../../../src/errors.ts';
import { tableNamed } from '../../../../src/tables/index.ts';

const options = (every: readonly string[]): LinkOptions => ({
  settings: 'incident-io.json',
  baseUrl: 'https://api.incident.io',
  syncMethod: [],
  import: true,
  every,
});
const chosen = [tableNamed('incidents'), tableNamed('users')];

it('takes a frequency for one table and for the others', () => {
  const tables = tableSettingsOf(options(['incidents=5m', '1h']), chosen);
  expect(tables).toMatchObject({ incidents: { every: '5m' }, users: { every: '1h' } });
});

it('refuses an option that names two tables at once, instead of dropping one of them', () => {
  const refused = () => tableSettingsOf(options(['users=incidents=5m']), chosen);
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow('users=incidents=5m');
});
