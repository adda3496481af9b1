import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LosslessNumber } from 'lossless-json';
import { describe, expect, it, onTestFinished } from 'vitest';

import { DestinationError } from '../../../src/errors.ts';
import { declaredTypes, type ApiRecord } from '../../../src/tables/table.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { tableFiles, tablesIn } from '../../../src/warehouse/read/table-files.ts';
import { sweepStaged } from '../../../src/warehouse/upkeep/staging.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import {
  committed,
  linesOf,
  openPlace,
  type Place,
  query,
  readRows,
  stage,
  state,
  syncRun,
  things,
  thingsWith,
} from '../../helpers/warehouse.ts';

const text = { type: 'text', description: 'A text.' } as const;

/** A row with every column of the things table, null if no value is given. */
function thing(cells: { [column: string]: unknown }): { [column: string]: unknown } {
  return { ...Object.fromEntries(Object.keys(things.columns).map((name) => [name, null])), ...cells };
}

function withoutTimes(rows: { readonly [column: string]: unknown }[]): { [column: string]: unknown }[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== '_synced_at')));
}

async function commitUntilCheckpoint(place: Place): Promise<void> {
  for (let version = 2; version <= 10; version += 1) await committed(place, things, []);
}

describe('stored values', () => {
  it('every value that was sent comes back in DuckDB and in delta-rs', async () => {
    const place = await openPlace();
    const long = 'ä'.repeat(5_000_000);
    await committed(place, things, [
      [
        {
          id: 'a',
          name: 'NUL \0, quote ", line\nfeed, 🚒 and \u{10FFFF}',
          owner: { id: 'u1', name: 'O\'Neil "the\0" \\ud83d' },
          tags: [{ n: 0.1, big: new LosslessNumber('12345678901234567890') }],
          rank: new LosslessNumber('9223372036854775807'),
          minutes: -0.25,
          active: true,
          updated_at: '2024-02-29T12:00:00.123456789+02:00',
          __proto__pollution: 1,
        },
        { id: 'b', name: long, owner: 'just text', tags: [], rank: -5, minutes: 1e300, active: false },
        {
          id: 'c',
          name: 7,
          rank: '7',
          minutes: 'x',
          active: 0,
          updated_at: 'soon',
          tags: '',
          owner: { id: 5 },
        },
        { id: 'd', name: 'half \ud83d', tags: ['\udc00'] },
      ],
    ]);
    const added = {
      __proto__pollution: null,
      active__raw: null,
      minutes__raw: null,
      name__raw: null,
      rank__raw: null,
      updated_at__raw: null,
    };
    const expected = [
      thing({
        ...added,
        id: 'a',
        name: 'NUL \0, quote ", line\nfeed, 🚒 and \u{10FFFF}',
        owner_id: 'u1',
        owner: '{"id":"u1","name":"O\'Neil \\"the\\u0000\\" \\\\ud83d"}',
        tags: '[{"n":0.1,"big":12345678901234567890}]',
        rank: '9223372036854775807',
        minutes: -0.25,
        active: true,
        updated_at: '2024-02-29 10:00:00.123456+00',
        updated_at__raw: '"2024-02-29T12:00:00.123456789+02:00"',
        __proto__pollution: '1',
      }),
      thing({
        ...added,
        id: 'b',
        name: long,
        owner: '"just text"',
        tags: '[]',
        rank: '-5',
        minutes: 1e300,
        active: false,
      }),
      thing({
        ...added,
        id: 'c',
        tags: '""',
        owner: '{"id":5}',
        name__raw: '7',
        rank__raw: '"7"',
        minutes__raw: '"x"',
        active__raw: '0',
        updated_at__raw: '"soon"',
        owner_id: '5',
      }),
      thing({ ...added, id: 'd', tags: '["\\udc00"]', name__raw: '"half \\ud83d"' }),
    ];
    expect(withoutTimes(await readRows(place, things))).toEqual(expected);
    const inDeltaRs = expected.map((row) =>
      row['id'] === 'a' ? { ...row, updated_at: '2024-02-29T10:00:00.123456Z' } : row,
    );
    const read = await readWithDeltaRs(place.folderOf(things));
    expect(withoutTimes(read.rows)).toEqual(inDeltaRs);
    expect(read).toMatchObject({ version: 0, name: 'things', description: things.description });
    expect(read.schema.every(({ nullable }) => nullable)).toBe(true);
    expect(read.schema.slice(0, 10).map(({ name, type }) => [name, type])).toEqual([
      ['id', 'string'],
      ['name', 'string'],
      ['owner_id', 'string'],
      ['owner', 'string'],
      ['tags', 'string'],
      ['rank', 'long'],
      ['minutes', 'double'],
      ['active', 'boolean'],
      ['updated_at', 'timestamp'],
      ['_synced_at', 'timestamp'],
    ]);
  });

  it('a full read of nothing makes an empty table with all its columns', async () => {
    const place = await openPlace();
    await committed(place, things, []);
    const read = await readWithDeltaRs(place.folderOf(things));
    expect(read.rows).toEqual([]);
    expect(read.schema).toHaveLength(10);
    expect(await readRows(place, things)).toEqual([]);
  });

  it('a column that is null in every row is read back', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }, { id: 'b', tags: null }]]);
    expect(withoutTimes((await readWithDeltaRs(place.folderOf(things))).rows)).toEqual([
      thing({ id: 'a' }),
      thing({ id: 'b' }),
    ]);
  });

  it('rows keep the pass that they came in', async () => {
    const place = await openPlace();
    const table = {
      ...thingsWith({ mode: text }),
      passes: { param: 'mode', values: ['live', 'test'], column: 'mode' },
    };
    const parts = [
      ...(await stage(place, table, 'run', [{ id: 'a' }], 'live')),
      ...(await stage(place, table, 'run', [{ id: 'b', mode: 'sent' }], 'test')),
    ];
    await place.warehouse.commit(table, { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state });
    expect(await readRows(place, table)).toMatchObject([
      { id: 'a', mode: 'live', mode__api: null },
      { id: 'b', mode: 'test', mode__api: 'sent' },
    ]);
  });
});

describe('a part', () => {
  it('an aborted part leaves nothing behind, and may be aborted twice', async () => {
    const place = await openPlace();
    const writer = await place.warehouse.createPart(things, 'run');
    await writer.add(linesOf(things, [{ id: 'a' }]));
    await writer.abort();
    await writer.abort();
    expect(await folderStore(place.root).list('_staging/things/')).toEqual([]);
  });

  it('a part leaves only itself in staging, under a unique name', async () => {
    const place = await openPlace();
    const [first] = await stage(place, things, 'run', [{ id: 'a' }]);
    const [second] = await stage(place, things, 'run', [{ id: 'a' }]);
    expect(first!.name).not.toBe(second!.name);
    const staged = await folderStore(place.root).list('_staging/things/');
    expect(new Map(staged.map(({ key, bytes }) => [key, bytes]))).toEqual(
      new Map([first!, second!].map(({ name, bytes }) => [`_staging/things/run/${name}`, bytes])),
    );
  });

  it('without records there is no part', async () => {
    const place = await openPlace();
    expect(await stage(place, things, 'run', [])).toEqual([]);
    expect(await folderStore(place.root).list('_staging/things/')).toEqual([]);
  });

  it('a part that is missing, too old or staged with other columns makes the run plan again', async () => {
    const place = await openPlace();
    const commit = (table: typeof things, parts: Awaited<ReturnType<typeof stage>>) =>
      place.warehouse.commit(table, { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state });
    const [part] = await stage(place, things, 'run', [{ id: 'a' }]);
    expect(await commit(things, [part!, { ...part!, name: 'gone.parquet' }])).toMatchObject({
      status: 'overtaken',
      reason: expect.stringContaining('missing') as string,
    });
    expect(await commit(things, [{ ...part!, stagedAt: part!.stagedAt - 3 * 86_400_000 - 1 }])).toMatchObject(
      {
        status: 'overtaken',
        reason: expect.stringContaining('older') as string,
      },
    );
    expect(await commit(thingsWith({ extra: text }), [part!])).toMatchObject({
      status: 'overtaken',
      reason: expect.stringContaining('other columns') as string,
    });
    expect(await place.warehouse.readState(things)).toBeUndefined();
    expect(await commit(things, [part!])).toMatchObject({ status: 'committed', rows: 1 });
  });

  it('an incremental run plans again if other columns are declared than the table has', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]]);
    const upgraded = thingsWith({ extra: text });
    for (const parts of [[], await stage(place, upgraded, 'run', [{ id: 'b' }])]) {
      expect(
        await place.warehouse.commit(upgraded, {
          chainId: 'run',
          parts,
          fullRead: false,
          plannedOn: 1,
          state,
        }),
      ).toMatchObject({ status: 'overtaken', reason: expect.stringContaining('other columns') as string });
    }
    expect(await place.warehouse.readState(upgraded)).toMatchObject({ disturbed: true, rows: 1 });
    expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: false, rows: 1 });
  });
});

describe('staging', () => {
  it('discarding the staging of a run leaves that of other runs', async () => {
    const place = await openPlace();
    await stage(place, things, 'one', [{ id: 'a' }]);
    await stage(place, things, 'two', [{ id: 'a' }]);
    await place.warehouse.discardStaged(things, 'one');
    await place.warehouse.discardStaged(things, 'none');
    const left = await folderStore(place.root).list('_staging/things/');
    expect(left.map(({ key }) => key.split('/')[2])).toEqual(['two']);
  });

  it('a sweep deletes untouched staging and what killed processes left, and nothing newer', async () => {
    const place = await openPlace();
    const old = new Date(Date.now() - 1_000_000);
    const age = async (key: string) => utimes(join(place.root, key), old, old);
    for (const chainId of ['old', 'half-old', 'new']) await stage(place, things, chainId, [{ id: 'a' }]);
    const store = folderStore(place.root);
    for (const { key } of await store.list('_staging/things/')) if (!key.includes('/new/')) await age(key);
    await stage(place, things, 'half-old', [{ id: 'b' }]);
    for (const leftover of ['_staging/_writes/half', '_staging/_spill/dead/x.tmp']) {
      await mkdir(join(place.root, leftover, '..'), { recursive: true });
      await writeFile(join(place.root, leftover), 'x');
      await age(leftover);
    }
    expect(await sweepStaged(store, 'things', Date.now() - 500_000)).toBe(1);
    const left = (await store.list('_staging/')).map(({ key }) => key.split('/').slice(1, 3).join('/'));
    expect(new Set(left)).toEqual(new Set(['things/half-old', 'things/new']));
  });
});

describe('the state', () => {
  it('of a table that was deleted and created again up to the same version is the new one', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]], { state: { ...state, filters: '[["a","b"]]' } });
    expect(await place.warehouse.readState(things)).toMatchObject({ counter: 1, rows: 1 });
    await rm(place.folderOf(things), { recursive: true });
    expect(await place.warehouse.readState(things)).toBeUndefined();
    await committed(place, things, [[{ id: 'b' }, { id: 'c' }]], { state });
    expect(await place.warehouse.readState(things)).toMatchObject({
      counter: 1,
      rows: 2,
      filters: state.filters,
    });
  });

  it('the state is read back as it was committed', async () => {
    const place = await openPlace();
    expect(await place.warehouse.readState(things)).toBeUndefined();
    await committed(place, things, [[{ id: 'a' }]], { state: { ...state, fullReadAt: 1_700_000_000_001 } });
    expect(await place.warehouse.readState(things)).toEqual({
      ...state,
      fullReadAt: 1_700_000_000_001,
      counter: 1,
      differences: 0,
      countOffset: 0,
      types: declaredTypes(things),
      rows: 1,
      lastCommit: { version: 0, chainId: expect.any(String) as string },
      disturbed: false,
    });
    const { watermark: _, incrementalField: __, ...bare } = state;
    await committed(place, things, [], { state: { ...bare, account: 'unknown', filters: '[["a","b"]]' } });
    const after = await place.warehouse.readState(things);
    expect(after).toMatchObject({ account: 'unknown', filters: '[["a","b"]]', counter: 2, rows: 1 });
    expect(after).not.toHaveProperty('watermark');
    expect(after).not.toHaveProperty('fullReadAt');
    expect(after).not.toHaveProperty('incrementalField');
  });

  it('the state counts the runs in a row whose rows differ from the count of the API', async () => {
    const place = await openPlace();
    const differencesAt = async (total?: number) =>
      (
        await committed(place, things, [[{ id: 'a' }]], {
          fullRead: false,
          ...(total !== undefined && { total }),
        })
      ).differences;
    expect(await differencesAt(2)).toBe(1);
    expect(await differencesAt(3)).toBe(2);
    expect(await differencesAt()).toBe(2);
    expect(await differencesAt(1)).toBe(0);
    expect((await place.warehouse.readState(things))?.differences).toBe(0);
    // A gap that a full read leaves comes from how the API counts: it is not a difference, now or in later runs.
    const left = await committed(place, things, [[{ id: 'a' }]], { fullRead: true, total: 4 });
    expect(left.differences).toBe(0);
    expect(await place.warehouse.readState(things)).toMatchObject({ countOffset: 3, differences: 0 });
    expect(await differencesAt(4)).toBe(0);
    expect(await differencesAt(1)).toBe(1);
  });

  it('a run that finds nothing new commits only its state', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'x' }, { id: 'b' }]]);
    const before = await readRows(place, things);
    const files = await readdir(place.folderOf(things));
    for (const fullRead of [false, true]) {
      const outcome = await committed(place, things, [[{ id: 'b' }], [{ id: 'a', name: 'x' }]], { fullRead });
      expect(outcome).toMatchObject({ inserted: 0, updated: 0, dropped: 0, bytesWritten: 0, rows: 2 });
    }
    expect(await readRows(place, things)).toEqual(before);
    expect(await readdir(place.folderOf(things))).toEqual(files);
  });
});

describe('columns', () => {
  it('unknown fields get columns with names that every engine accepts', async () => {
    const place = await openPlace();
    const odd: ApiRecord = {
      id: 'a',
      ID: 'collides',
      'Name ': 'with a blank',
      'a.b`c': 'dots',
      a_b_c: 'like the cleaned one',
      A_B_C: 'like it ignoring case',
      _SYNCED_at: 'ours',
      name__raw: 'reserved',
      'x,;{}()\n\t="': 'all of them',
      '': 'no name',
      Ünïcode: 'fine',
    };
    const { columnsAdded } = await committed(place, things, [[odd]]);
    const fields: { [column: string]: unknown } = {
      ID__api: 'ID',
      Name_: 'Name ',
      a_b_c: 'a.b`c',
      a_b_c__api: 'a_b_c',
      A_B_C__api2: 'A_B_C',
      _SYNCED_at__api: '_SYNCED_at',
      name__raw__api: 'name__raw',
      x__________: 'x,;{}()\n\t="',
      unnamed: '',
      Ünïcode: 'Ünïcode',
    };
    // The first of these fields in their order gets the plain name.
    const order = ['A_B_C', 'a.b`c', 'a_b_c'].sort();
    const suffixed = Object.fromEntries(
      order.map((field, place) => [
        `${field.replace(/[.`]/g, '_')}__api${place === 1 ? '' : place}`.replace(/__api0$/, ''),
        field,
      ]),
    );
    for (const name of ['a_b_c', 'a_b_c__api', 'A_B_C__api2']) delete fields[name];
    const expected = { ...fields, ...suffixed };
    expect([...columnsAdded].sort()).toEqual(Object.keys(expected).sort());
    const read = await readWithDeltaRs(place.folderOf(things));
    for (const [column, field] of Object.entries(expected)) {
      expect(read.rows[0]).toHaveProperty([column], odd[String(field)]);
    }
    const lower = read.schema.map(({ name }) => name.toLowerCase());
    expect(new Set(lower).size).toBe(lower.length);
  });

  it.each(['file_row_number', 'file_index'])(
    'an unknown field may be called %s, as a column of DuckDB itself',
    async (name) => {
      const place = await openPlace();
      await committed(place, things, [[{ id: 'a', [name]: '1' }, { id: 'b' }]]);
      await committed(place, things, [[{ id: 'a', [name]: '2' }]]);
      expect(await readRows(place, things)).toMatchObject([{ id: 'a', [`${name}__api`]: '2' }, { id: 'b' }]);
    },
  );

  it('columns of unknown fields keep their names in later runs', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', Foo: '1' }]]);
    await committed(place, things, [[{ id: 'b', foo: '2' }]]);
    await committed(place, things, [[{ id: 'c', foo: '3', Foo: '4', FOO: '5' }]]);
    expect(await readRows(place, things)).toMatchObject([
      { id: 'a', Foo: '1', foo__api: null, FOO__api2: null },
      { id: 'b', Foo: null, foo__api: '2', FOO__api2: null },
      { id: 'c', Foo: '4', foo__api: '3', FOO__api2: '5' },
    ]);
  });

  it('an incremental run that adds a column for an unknown field commits no watermark, other runs that add a column do', async () => {
    const place = await openPlace();
    expect(await committed(place, things, [[{ id: 'a', one: 1 }]])).toMatchObject({
      watermark: state.watermark,
      columnsAdded: ['one'],
    });
    expect(await committed(place, things, [[{ id: 'a', rank: 'odd' }]])).toMatchObject({
      watermark: state.watermark,
      columnsAdded: ['rank__raw'],
    });
    const withheld = await committed(place, things, [[{ id: 'a', two: 2 }]]);
    expect(withheld.columnsAdded).toEqual(['two']);
    expect(withheld).not.toHaveProperty('watermark');
    expect(await place.warehouse.readState(things)).not.toHaveProperty('watermark');
    expect(await committed(place, things, [[{ id: 'a', three: 3 }]], { fullRead: true })).toMatchObject({
      watermark: state.watermark,
    });
  });

  it('a column whose field is no longer sent stays, and becomes null in rows that are read again', async () => {
    const place = await openPlace();
    await committed(place, things, [
      [
        { id: 'a', extra: 'x', rank: 'odd' },
        { id: 'b', extra: 'y' },
      ],
    ]);
    await committed(place, things, [[{ id: 'a', rank: 1 }]]);
    expect(await readRows(place, things)).toMatchObject([
      { id: 'a', extra: null, rank: '1', rank__raw: null },
      { id: 'b', extra: 'y', rank: null },
    ]);
  });

  it('only a full read commits other declared columns, and it rewrites every row', async () => {
    const place = await openPlace();
    await committed(place, things, [
      [{ id: 'a', rank: 1, score: 5, gone: 'g', name: 9 }, { id: 'b', rank: 'odd' }, { id: 'c' }],
    ]);
    const { minutes: _, ...kept } = things.columns;
    const table = {
      ...things,
      columns: {
        ...kept,
        rank: { type: 'double', description: 'Its rank.' },
        score: { type: 'bigint', description: 'Declared now.' },
      },
    } as const;
    // Planned by a program version that declared the old columns.
    expect(await syncRun(place, table, [[{ id: 'a', rank: 1.5 }]])).toMatchObject({ status: 'overtaken' });
    expect(
      await committed(
        place,
        table,
        [[{ id: 'a', rank: 1.5, score: 6, minutes: 3 }, { id: 'c', rank: 2 }, { id: 'd' }]],
        { fullRead: true },
      ),
    ).toMatchObject({
      rows: 3,
      rowsBefore: 3,
      inserted: 1,
      updated: 2,
      dropped: 1,
      columnsAdded: ['minutes'],
    });
    const read = await readWithDeltaRs(place.folderOf(table));
    expect(read.schema.map(({ name, type }) => `${name} ${String(type)}`)).toEqual([
      ...Object.keys(kept).map(
        (name) =>
          `${name} ${{ rank: 'double', active: 'boolean', updated_at: 'timestamp' }[name] ?? 'string'}`,
      ),
      'score long',
      '_synced_at timestamp',
      'gone string',
      'name__raw string',
      'rank__raw string',
      'minutes string',
    ]);
    expect(withoutTimes(read.rows)).toMatchObject([
      { id: 'a', rank: 1.5, score: '6', minutes: '3', gone: null },
      { id: 'c', rank: 2, score: null, minutes: null },
      { id: 'd', rank: null },
    ]);
    expect((await place.warehouse.readState(table))?.types).toBe(declaredTypes(table));
  });

  it('columns have their descriptions in the metadata', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', extra: 1 }]]);
    const { schema } = await readWithDeltaRs(place.folderOf(things));
    const comments = Object.fromEntries(schema.map(({ name, metadata }) => [name, metadata['comment']]));
    expect(comments).toMatchObject({
      rank: 'Its rank.',
      _synced_at: 'When this row was last written.',
      extra: expect.stringContaining('"extra"') as string,
    });
  });
});

describe('a destination', () => {
  it('a destination that is a file is refused by its path', async () => {
    const { root } = await openPlace();
    const path = join(root, 'file');
    await writeFile(path, '');
    const warehouse = await openWarehouse(folderStore(path), { destination: path });
    onTestFinished(() => warehouse.close());
    const failure = await warehouse.assertWritable().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DestinationError);
    expect((failure as Error).message).toContain(path);
  });

  it('a destination that does not exist is created', async () => {
    const { root } = await openPlace();
    const place = await openPlace(join(root, 'deep', 'er'));
    await place.warehouse.assertWritable();
    await place.warehouse.assertWritable();
    expect(await folderStore(place.root).list('')).toEqual([]);
  });

  it('a destination may have a path that looks like a pattern, a partition or SQL', async () => {
    const { root } = await openPlace();
    const place = await openPlace(join(root, "it's [a-z]", 'id=7', 'name=x'));
    await committed(place, things, [[{ id: 'a', name: 'n' }], [{ id: 'b' }]]);
    await committed(place, things, [[{ id: 'a', name: 'm' }]]);
    await commitUntilCheckpoint(place);
    expect(await readRows(place, things)).toMatchObject([{ id: 'a', name: 'm' }, { id: 'b' }]);
  });

  it('a store that lets a second writer replace a file is refused', async () => {
    const { root } = await openPlace();
    const store = folderStore(root);
    const careless = {
      ...store,
      writeIfAbsent: async (key: string, bytes: Uint8Array) => {
        await store.write(key, bytes);
        return true;
      },
    };
    const warehouse = await openWarehouse(careless, { destination: root });
    onTestFinished(() => warehouse.close());
    await expect(warehouse.assertWritable()).rejects.toThrow(DestinationError);
  });

  it('a destination lists its tables and gives their rows with every column typed', async () => {
    const place = await openPlace();
    const store = folderStore(place.root);
    expect(await tablesIn(store)).toEqual([]);
    await expect(tableFiles(store, 'things')).rejects.toThrow(/no table "things"/);
    await committed(place, things, [[{ id: 'a' }]]);
    await committed(place, things, [[{ id: 'b', later: 'x' }]]);
    await stage(place, { ...things, name: 'others' }, 'run', [{ id: 'a' }]);
    expect(await tablesIn(store)).toEqual(['things']);
    const { keys, sql, version, columns } = await tableFiles(store, 'things');
    const rows = sql(await store.withLocal((local) => local.paths(keys)));
    expect(version).toBe(1);
    expect(columns).toEqual([...Object.keys(things.columns), '_synced_at', 'later']);
    expect(await query(`SELECT id, later, typeof(later) AS type FROM (${rows}) ORDER BY id`)).toEqual([
      { id: 'a', later: null, type: 'VARCHAR' },
      { id: 'b', later: 'x', type: 'VARCHAR' },
    ]);
  });
});
