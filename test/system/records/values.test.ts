import fc from 'fast-check';
import { describe, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { expectKept, type Sent, serve } from '../../helpers/sent-values.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const sizes = { incidents: 60, incident_updates: 0, follow_ups: 0, alerts: 120, escalations: 0, users: 5 };

const text = (value: unknown) => JSON.stringify(value);

/** Records with odd fields. */
const odd: { readonly [what: string]: Sent } = {
  'NUL and other control characters': [
    ['name', '"\\u0000"'],
    ['summary', text('a\0b\u0001\u001b\u007f\u2028')],
    ['creator', text({ 'a\0': '\0' })],
    ['ex\0tra', text('\0')],
  ],
  'numbers where text was': [
    ['name', '5'],
    ['summary', '0'],
    ['mode', '1.5'],
    ['call_url', 'true'],
    ['reference', '[]'],
    ['permalink', '{}'],
  ],
  'text where numbers, booleans and nested values were': [
    ['workload_minutes_total', '"12.5"'],
    ['workload_minutes_late', '""'],
    ['has_debrief', '"false"'],
    ['creator', '"nobody"'],
    ['team_ids', '""'],
  ],
  'ids that are numbers': [
    ['slack_team_id', '5'],
    ['slack_channel_id', '12345678901234567890'],
  ],
  'times that are empty': [
    ['updated_at', '""'],
    ['last_activity_at', '""'],
  ],
  'times that are not times': [
    ['updated_at', '"yesterday"'],
    ['created_at', '0'],
    ['last_activity_at', '{"at":1}'],
  ],
  'leap seconds': [
    ['last_activity_at', '"2016-12-31T23:59:60Z"'],
    ['created_at', '"2016-12-31T23:59:60.5+00:00"'],
  ],
  'odd offsets': [
    ['last_activity_at', '"2024-02-29T23:59:59+14:00"'],
    ['created_at', '"2024-03-01t00:00:00.1-11:45"'],
    ['updated_at', '"2024-01-01T00:00:00-00:00"'],
  ],
  'fractions of nine digits': [
    ['last_activity_at', '"2024-01-01T00:00:00.123456789Z"'],
    ['created_at', '"2024-01-01T00:00:00.000000001Z"'],
    ['updated_at', '"2024-01-01T00:00:00.100000000Z"'],
  ],
  'the ends of the calendar': [
    ['created_at', '"0001-01-01T00:00:00Z"'],
    ['updated_at', '"9999-12-31T23:59:59.999999Z"'],
    ['last_activity_at', '"0000-01-01T00:00:00Z"'],
  ],
  'null in every field': Object.keys(tableNamed('incidents').columns)
    .filter((name) => name !== 'id')
    .map((name) => [name, 'null']),
  'fields nobody declared': [
    ['extra', '"text"'],
    ['more', '{"a":[1,{"b":null}]}'],
    ['flag', 'false'],
    ['zero', '0'],
    ['empty', '""'],
    ['list', '[]'],
    ['none', 'null'],
  ],
  'names that collide': [
    ['Name', '"upper"'],
    ['NAME', '"loud"'],
    ['_synced_at', '"ours"'],
    ['_SYNCED_AT', '1'],
    ['severity_id', '"sent"'],
    ['name__raw', '"raw"'],
    ['name__api', '"api"'],
    ['__raw', '{"a":1}'],
    ['__unknown', '2'],
    ['name', '5'],
  ],
  'names that are hard to take': [
    ['__proto__', '{"a":1}'],
    ['constructor', '"c"'],
    ['toString', '1'],
    ['a b', '1'],
    ['a.b', '2'],
    ['a,b;c{}()=', '3'],
    ['', '"none"'],
    ['"', '4'],
    ["'", '5'],
    ['\n', '6'],
    ['ünïcode', '7'],
    ['🚒', '8'],
    ['\ud83d', '9'],
    ['n'.repeat(300), '10'],
  ],
};

const deep = '['.repeat(50_000) + ']'.repeat(50_000);

/** Records that are made into rows in another way. */
const oddest: { readonly [what: string]: Sent } = {
  'values nested without end': [
    ['team_ids', deep],
    ['creator', `{"user":${deep}}`],
    ['name', deep],
    ['extra', deep],
  ],
  'half surrogate pairs': [
    ['name', '"a\\ud83d"'],
    ['summary', '"\\udc00"'],
    ['creator', '{"user":{"name":"\\ud83d"}}'],
    ['extra', '"\\ud83d"'],
  ],
  'numbers that JavaScript rounds': [
    ['workload_minutes_total', '0.12345678901234567890'],
    ['workload_minutes_late', '1e400'],
    ['name', '12345678901234567890'],
    ['team_ids', '[12345678901234567890,1e400,0.5]'],
    ['extra', '9223372036854775808'],
  ],
};

const oddNumber = fc.constantFrom(
  '12345678901234567890',
  '-9007199254740993',
  '1e400',
  '-1e400',
  '0.5',
  '1e21',
);
const oddTime = fc.constantFrom(
  '2024-02-30T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '2024-01-01T00:00:00.1234567891+05:45',
  '2024-01-01',
  '9999-12-31T23:59:59-14:00',
);
const anyValue = fc.oneof(
  fc.string({ unit: 'binary' }).map(text),
  // Half surrogate pairs too.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => text(String.fromCharCode(...units))),
  fc.jsonValue().map(text),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }).map(text),
  oddTime.map(text),
  oddNumber,
  oddNumber.map((number) => `{"n":[${number}],"s":"\\ud800"}`),
);
const anyName = fc.oneof(
  fc.constantFrom(...Object.keys(tableNamed('incidents').columns).filter((name) => name !== 'id')),
  fc.constantFrom('extra', 'Extra', 'EXTRA', '_synced_at', 'name__raw', '__proto__', 'a b', 'a.b', 'a_b', ''),
);
const anyRecord: fc.Arbitrary<Sent> = fc.uniqueArray(fc.tuple(anyName, anyValue), {
  selector: ([name]) => name,
  maxLength: 25,
});

describe('every value is kept', () => {
  it('if odd records are among usual ones', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const usual = serve(sandbox, 'incidents', Object.values(odd));
    resultOf(await run({ table: 'incidents' }));
    await expectKept(destination, 'incidents', usual);
  });

  it('if there are numbers that JavaScript rounds and halves of characters', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const careful = serve(sandbox, 'incidents', [...Object.values(odd), ...Object.values(oddest)]);
    resultOf(await run({ table: 'incidents' }));
    await expectKept(destination, 'incidents', careful);
  });

  it('of texts with ten megabytes', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes: { incidents: 3 } });
    const long = 'ä🚒"\\\n'.repeat(1_000_000);
    const sent = serve(sandbox, 'incidents', [
      [],
      [['summary', text(long)]],
      [
        ['debriefs', text([{ id: long }])],
        ['extra', text(long)],
      ],
    ]);
    resultOf(await run({ table: 'incidents' }));
    await expectKept(destination, 'incidents', sent);
  });

  it('of a 64-bit column, including larger integers and other values', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const ranks = [
      '9223372036854775807',
      '-9223372036854775808',
      '9223372036854775808',
      '1.5',
      '1e400',
      '"7"',
    ];
    const ids = [...sandbox.records('severities')].map(({ id }) => id as string);
    while (ids.length < ranks.length) ids.push(sandbox.create('severities')['id'] as string);
    const sent = serve(
      sandbox,
      'severities',
      ranks.map((rank) => [['rank', rank]]),
    );
    resultOf(await run({ table: 'severities' }));
    await expectKept(destination, 'severities', sent);
  });

  it('whatever JSON can express, in any field', async () => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes: { incidents: 400 } });
    const sent = serve(sandbox, 'incidents', fc.sample(anyRecord, { numRuns: 400, seed: 7 }));
    resultOf(await run({ table: 'incidents' }));
    await expectKept(destination, 'incidents', sent);
  });
});
