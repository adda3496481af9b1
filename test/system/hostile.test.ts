import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Sandbox,
  type SandboxOptions,
  startSandbox,
  type Transform,
} from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import type { ColumnType } from '../../src/tables/table.ts';
import type { RunOutcome } from '../../src/connections/runs.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { fieldKey } from '../../src/records/rows.ts';
import { apiReplying } from '../helpers/api.ts';
import { readWithDeltaRs } from '../helpers/delta-reader.ts';
import { sync, temporaryFolder } from '../helpers/sync.ts';
import { connectToTestServer } from '../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

async function sandboxOf(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 60, incident_updates: 0, follow_ups: 0, alerts: 120, escalations: 0, users: 5 },
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

function resultOf(outcomes: readonly RunOutcome[]) {
  const [outcome] = outcomes;
  if (outcome?.status !== 'synced') throw new Error(`not synced: ${JSON.stringify(outcome)}`);
  return outcome.result;
}

/** Fields and their values as JSON texts: objects would lose digits, doubled names and `__proto__`. */
type Sent = readonly (readonly [field: string, json: string])[];

const jsonOf = (fields: Sent) =>
  `{${fields.map(([field, json]) => `${JSON.stringify(field)}:${json}`).join(',')}}`;

/** A record with some of its fields in place of those it has. */
function withFields(record: object, fields: Sent): Sent {
  const replaced = new Set(fields.map(([field]) => field));
  const own = Object.entries(record).filter(([field]) => !replaced.has(field));
  return [...own.map(([field, value]) => [field, JSON.stringify(value)] as const), ...fields];
}

/**
 * Serves the rows of a table, in their order, as these records: each keeps what is not named, its id too.
 * Gives back what is sent, by id.
 */
function serve(
  sandbox: Sandbox,
  table: 'incidents' | 'severities',
  records: readonly Sent[],
): Map<string, Sent> {
  const sent = new Map<string, Sent>();
  [...sandbox.records(table)].forEach((record, index) => {
    sent.set(record['id'] as string, withFields(record, records[index] ?? []));
  });
  const transform: Transform = (record, of) =>
    of === table ? jsonOf(sent.get(record['id'] as string)!) : record;
  sandbox.transform = transform;
  return sent;
}

type Read = Awaited<ReturnType<typeof readWithDeltaRs>>;

/** Expects that every value sent can be had back from the table as delta-rs reads it, and that no row is more. */
async function expectKept(
  destination: string,
  table: string,
  sent: ReadonlyMap<string, Sent>,
): Promise<void> {
  const { rows, schema } = await readWithDeltaRs(join(destination, table));
  expect(rows).toHaveLength(sent.size);
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(sent.keys()));
  const columnWith = (property: string, value: string) =>
    schema.find(({ metadata }) => metadata[property] === value)?.name;
  const lost: string[] = [];
  for (const row of rows) {
    for (const [field, json] of sent.get(row['id'] as string)!) {
      const added = columnWith('incident_io.field', fieldKey(field));
      const raw = columnWith('incident_io.raw', field);
      const isKept =
        json === 'null'
          ? (row[added ?? field] ?? null) === null
          : added === undefined
            ? (raw !== undefined && row[raw] === json) ||
              holds(tableNamed(table).columns[field]?.type, row[field], json)
            : row[added] === json || JSON.stringify(row[added]) === json;
      if (!isKept) lost.push(`${field} of ${String(row['id'])}: ${json.slice(0, 100)}`);
    }
  }
  expect(lost).toEqual([]);
}

/** Whether a cell of a declared column is the value of this JSON text. */
function holds(type: ColumnType | undefined, cell: Read['rows'][number][string], json: string): boolean {
  switch (type) {
    case 'json':
      return cell === json;
    case 'bigint':
      return cell === json;
    case 'double':
      return cell === Number(json);
    case 'timestamp':
      return typeof cell === 'string' && microseconds(cell) === microseconds(JSON.parse(json) as string);
    case 'text':
    case 'boolean':
      return JSON.stringify(cell) === json;
    case undefined:
      return false;
  }
}

/** Of an RFC 3339 text without a leap second, cut. */
function microseconds(text: string): bigint {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const seconds = Date.parse(text.replace(/\.\d+/, '')) / 1000;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

const text = (value: unknown) => JSON.stringify(value);

/** Records with something odd in them. */
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
  'times that are none': [
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

/** The same, whose records are read and written in another way. */
const oddest: { readonly [what: string]: Sent } = {
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

describe('every value is kept:', () => {
  it('odd ones beside usual ones', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const usual = serve(sandbox, 'incidents', Object.values(odd));
    resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    await expectKept(destination, 'incidents', usual);
  });

  it('odd ones beside numbers that JavaScript rounds and halves of characters', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const careful = serve(sandbox, 'incidents', [...Object.values(odd), ...Object.values(oddest)]);
    resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    await expectKept(destination, 'incidents', careful);
  });

  it('texts of ten megabytes', async () => {
    const sandbox = await sandboxOf({ sizes: { incidents: 3 } });
    const destination = await temporaryFolder();
    const long = 'ä🚒"\\\n'.repeat(1_000_000);
    const sent = serve(sandbox, 'incidents', [
      [],
      [['summary', text(long)]],
      [
        ['debriefs', text([{ id: long }])],
        ['extra', text(long)],
      ],
    ]);
    resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    await expectKept(destination, 'incidents', sent);
  });

  it('64-bit integers, those beyond, and what is no integer', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
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
    resultOf(await sync(temporal, sandbox, destination, { tables: ['severities'] }));
    await expectKept(destination, 'severities', sent);
  });

  it('anything JSON can say, anywhere', async () => {
    const sandbox = await sandboxOf({ sizes: { incidents: 400 } });
    const destination = await temporaryFolder();
    const sent = serve(sandbox, 'incidents', fc.sample(anyRecord, { numRuns: 400, seed: 7 }));
    resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    await expectKept(destination, 'incidents', sent);
  });
});

describe('a field that appears in mid-life', () => {
  it('is in every row at the latest after the next run, which reads everything again', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const run = async () => resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    await run();
    const sent = serve(sandbox, 'incidents', []);
    for (const [id, fields] of sent) sent.set(id, [...fields, ['extra', '"new"'], ['nested', '{"a":1}']]);
    const id = sandbox.idAt('incidents', 3);
    sandbox.change('incidents', id, {});

    // Only the changed row has it, so nobody may believe the table complete.
    const second = await run();
    expect(second).toMatchObject({ fullRead: false, changes: { columnsAdded: ['extra', 'nested'] } });
    expect(second).not.toHaveProperty('watermark');
    expect(second.notes).toContain('Columns added: extra, nested');

    expect(await run()).toMatchObject({ fullRead: true, reason: 'the table has no watermark' });
    await expectKept(destination, 'incidents', sent);
    expect((await run()).fullRead).toBe(false);
  });
});

describe('drift', () => {
  it('of types, values and required fields fails no run, loses nothing and is reported', async () => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const run = async () => resultOf(await sync(temporal, sandbox, destination, { tables: ['incidents'] }));
    expect((await run()).notes).toEqual([]);
    const [number, value, absent, empty] = [3, 7, 11, 15].map((index) => sandbox.idAt('incidents', index));
    const sent = serve(sandbox, 'incidents', []);
    const replace = (id: string, field: string, json?: string) => {
      const others = sent.get(id)!.filter(([name]) => name !== field);
      sent.set(id, json === undefined ? others : [...others, [field, json]]);
      sandbox.change('incidents', id, {});
    };
    replace(number!, 'name', '5');
    replace(value!, 'mode', '"a new one"');
    replace(absent!, 'reference');
    replace(empty!, 'reference', 'null');
    for (const id of [number!, value!]) replace(id, 'visibility', '""');

    const second = await run();
    expect(second).toMatchObject({ fullRead: false, changes: { columnsAdded: ['name__raw'] } });
    // Nothing is unread: only unknown fields keep a run from being complete.
    expect(second).toHaveProperty('watermark');
    const ids = [absent, empty].map(
      (id) => `2 rows lack reference, which the API's reference requires; the first is ${id}`,
    );
    expect(ids).toContain(second.notes[0]);
    expect(second.notes.slice(1)).toEqual(['Columns added: name__raw']);
    await expectKept(destination, 'incidents', sent);
  });
});

describe('a key that comes twice', () => {
  // Pages of fifty; the first row comes again on the third page.
  it.each([
    ['the later one, where it is newer', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'second'],
    ['the earlier one, where that is newer', '2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', 'first'],
    ['the newer one by a microsecond', '2026-01-01T00:00:00.000002Z', '2026-01-01T00:00:00.000001Z', 'first'],
    ['the newer one in another offset', '2026-01-01T02:00:00+01:00', '2026-01-01T00:30:00Z', 'first'],
    ['the later one, where both are as new', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'second'],
    ['the one whose time cannot be read', 'soon', '2026-01-02T00:00:00Z', 'first'],
  ])('leaves one row: %s', async (_, first, second, expected) => {
    const sandbox = await sandboxOf();
    const destination = await temporaryFolder();
    const [id, double] = [sandbox.idAt('alerts', 5), sandbox.idAt('alerts', 119)];
    sandbox.transform = (record, table) => {
      if (table !== 'alerts') return record;
      if (record['id'] === id) return { ...record, title: 'first', updated_at: first };
      if (record['id'] === double) return { ...record, id, title: 'second', updated_at: second };
      return record;
    };
    const { rows } = resultOf(await sync(temporal, sandbox, destination, { tables: ['alerts'] }));
    expect(rows).toBe(119);
    const read = await readWithDeltaRs(join(destination, 'alerts'));
    expect(read.rows.filter((row) => row['id'] === id)).toMatchObject([{ title: expected }]);
    expect(new Set(read.rows.map((row) => row['id'])).size).toBe(119);
  });
});

describe('the end of the paging', () => {
  /** An API whose alerts are these pages, by the cursor that is asked for. */
  const pagesOf = (pages: { readonly [after: string]: object }) =>
    apiReplying((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
      const body =
        pathname === '/v1/identity'
          ? { identity: { name: 'key', dashboard_url: 'https://app.incident.io/a', roles: [] } }
          : pages[searchParams.get('after') ?? ''];
      response
        .writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(body ?? {}));
    });

  it.each([
    ['no after', {}],
    ['an after that is null', { pagination_meta: { after: null, page_size: 50 } }],
    ['an after that is empty', { pagination_meta: { after: '', page_size: 50 } }],
    ['no pagination_meta', undefined],
    ['a pagination_meta that is null', { pagination_meta: null }],
  ])('is %s, and not a page without rows', async (_, end) => {
    const { baseUrl } = await pagesOf({
      '': { alerts: [{ id: 'a' }], pagination_meta: { after: 'x' } },
      x: { alerts: [], pagination_meta: { after: 'y' } },
      y: { alerts: [], pagination_meta: { after: 'z' } },
      z: { alerts: [{ id: 'b' }], ...end },
    });
    const destination = await temporaryFolder();
    const api = { url: baseUrl, key: 'key' };
    const { read } = resultOf(await sync(temporal, api, destination, { tables: ['alerts'] }));
    expect(read).toMatchObject({ pages: 4, rows: 2 });
    expect((await readWithDeltaRs(join(destination, 'alerts'))).rows.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});
