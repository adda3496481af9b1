import { expect, it } from 'vitest';
import type { State, TableHealth } from '../../../src/connections/status/table-health.ts';
import { messageOf } from '../../../src/notify/message.ts';
import { newsOf, type Told } from '../../../src/notify/told.ts';
import { keepSecret } from '../../../src/secrets.ts';

const minute = 60_000;

/** The messages about one table whose state is checked once per minute; each state with its number of minutes. */
function toldOf(...states: readonly (readonly [state: State, minutes: number])[]): readonly string[] {
  const lines: string[] = [];
  let told: Told = {};
  let at = 0;
  for (const [state, minutes] of states) {
    for (let passed = 0; passed < minutes; passed += 1) {
      const found = newsOf([{ table: 'incidents', state }], told, at * minute);
      lines.push(...found.news.map((news) => `${at}: ${news.state}`));
      // Written to the note and read back.
      told = JSON.parse(JSON.stringify(found.told)) as Told;
      at += 1;
    }
  }
  return lines;
}

it.each([
  [
    'a failure once, and its end',
    [
      ['current', 5],
      ['failing', 30],
      ['current', 5],
    ],
    ['5: failing', '35: recovered'],
  ],
  ['what lasts again after a day', [['failing', 24 * 60 + 5]], ['0: failing', '1440: failing']],
  [
    'one that comes and goes once per hour',
    [
      ['failing', 1],
      ['current', 9],
      ['failing', 10],
      ['current', 30],
      ['failing', 20],
    ],
    ['0: failing', '1: recovered', '60: failing'],
  ],
  [
    'another kind of trouble not before an hour has passed',
    [
      ['late', 10],
      ['failing', 60],
    ],
    ['0: late', '60: failing'],
  ],
  [
    'no recovery of what nobody was told about',
    [
      ['failing', 1],
      ['current', 1],
      ['late', 5],
      ['current', 100],
    ],
    ['0: failing', '1: recovered'],
  ],
  [
    'no recovery of a table that was paused instead',
    [
      ['failing', 5],
      ['paused', 5],
      ['current', 1],
    ],
    ['0: failing', '10: recovered'],
  ],
  [
    'nothing about a first sync or a list that the account lacks',
    [
      ['first_sync', 60],
      ['not_available', 60],
      ['current', 60],
    ],
    [],
  ],
  ['a destination that cannot be read', [['unreadable', 2]], ['0: unreadable']],
] as const)('tells %s', (_what, states, lines) => {
  expect(toldOf(...states)).toEqual(lines);
});

it('forgets tables that the settings no longer have', () => {
  const told: Told = { users: { state: 'failing', at: 0 } };
  expect(newsOf([{ table: 'incidents', state: 'current' }], told, minute)).toEqual({ news: [], told: {} });
});

it('is one message per connection that Slack and others accept, and contains no secret', () => {
  keepSecret('inc_secret_of_the_tests');
  const failing = { state: 'failing', error: 'CredentialsError', advice: 'Create another one.' } as const;
  const healths: TableHealth[] = [
    { table: 'alerts', ...failing, message: 'inc_secret_of_the_tests is refused <401>.' },
    { table: 'incidents', ...failing, message: 'inc_secret_of_the_tests is refused <401>.' },
    { table: 'users', state: 'late', lagSeconds: 7_200, message: 'no worker responds.' },
  ];
  const { news } = newsOf(healths, { severities: { state: 'late', at: 0 } }, minute);
  const message = messageOf('prod', news);
  expect(JSON.stringify(message)).not.toContain('inc_secret');
  // Slack would treat the brackets as a link.
  expect(message.text).toContain(
    '• alerts, incidents FAILING: [api key] is refused &lt;401&gt;. → Create another one.',
  );
  expect(message.text).toContain('• users LATE: no worker responds.');
  expect(message).toMatchObject({
    connection: 'prod',
    tables: [
      { table: 'alerts', state: 'failing', error: 'CredentialsError', advice: 'Create another one.' },
      { table: 'incidents', state: 'failing' },
      { table: 'users', state: 'late', lag_seconds: 7_200 },
    ],
  });
});
