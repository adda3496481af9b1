import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { LosslessNumber } from 'lossless-json';
import { describe, expect, it, onTestFinished } from 'vitest';

import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { LocalStore, Store } from '../../../src/warehouse/store/store.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import {
  committed,
  destinationErrorWith,
  openPlace,
  type Place,
  readRows,
  stage,
  state,
  syncRun,
  things,
} from '../../helpers/warehouse.ts';

type Actions = { [action: string]: { [field: string]: unknown } }[];

async function actionsOf(place: Place, version: number): Promise<Actions> {
  const name = `${String(version).padStart(20, '0')}.json`;
  const text = await readFile(join(place.folderOf(things), '_delta_log', name), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Actions[number]);
}

/** Runs a number of commits that add one row each. */
async function commitTimes(place: Place, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await committed(place, things, [[{ id: `row-${time}` }]]);
}

describe('a version', () => {
  it('a version holds rows and state in one file, and metadata only if it changed', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]], { chainId: 'first' });
    await committed(place, things, [[{ id: 'b' }]], { chainId: 'second' });
    await committed(place, things, [[{ id: 'b' }]], { state: { ...state, filters: '[["x","y"]]' } });
    const kinds = async (version: number) =>
      (await actionsOf(place, version)).map((action) => Object.keys(action)[0]);
    const txns = ['txn', 'txn', 'txn', 'txn'];
    expect(await kinds(0)).toEqual(['commitInfo', 'protocol', 'metaData', ...txns, 'add']);
    expect(await kinds(1)).toEqual(['commitInfo', ...txns, 'add']);
    expect(await kinds(2)).toEqual(['commitInfo', 'metaData', ...txns]);
    expect((await actionsOf(place, 0))[1]).toEqual({
      protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    });
    expect((await actionsOf(place, 1))[0]?.['commitInfo']).toMatchObject({
      operation: 'MERGE',
      operationParameters: { runId: 'second' },
      operationMetrics: { numRowsInserted: '1' },
    });
  });

  it('an older version can still be read', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'x' }, { id: 'b' }]]);
    await committed(place, things, [[{ id: 'a', name: 'y' }]]);
    await committed(place, things, [[{ id: 'c' }]], { fullRead: true });
    const idsAt = async (version: number) =>
      (await readWithDeltaRs(place.folderOf(things), { version })).rows.map(({ id, name }) => [id, name]);
    expect(await idsAt(0)).toEqual([
      ['a', 'x'],
      ['b', null],
    ]);
    expect(await idsAt(1)).toEqual([
      ['a', 'y'],
      ['b', null],
    ]);
    expect(await idsAt(2)).toEqual([['c', null]]);
  });
});

describe('two commits at once', () => {
  it.each([false, true])(
    'of two commits at once exactly one wins and the other is overtaken (full read: %s)',
    async (fullRead) => {
      const one = await openPlace();
      const two = await openPlace(one.root);
      await committed(one, things, [[{ id: 'a' }]]);
      const outcomes = await Promise.all(
        [one, two].map((place, number) =>
          syncRun(place, things, [[{ id: `of-${number}` }]], { plannedOn: 1, fullRead }),
        ),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['committed', 'overtaken']);
      const winner = outcomes.findIndex(({ status }) => status === 'committed');
      expect((await readRows(one, things)).map(({ id }) => id)).toEqual(
        fullRead ? [`of-${winner}`] : ['a', `of-${winner}`],
      );
      // The data file of the loser has been deleted.
      const files = (await readdir(one.folderOf(things))).filter((name) => name.endsWith('.parquet'));
      const named = [...(await actionsOf(one, 0)), ...(await actionsOf(one, 1))].flatMap(({ add }) =>
        add ? [add['path']] : [],
      );
      expect(new Set(files)).toEqual(new Set(named));
    },
  );

  it('of two first commits at once exactly one creates the table', async () => {
    const one = await openPlace();
    const two = await openPlace(one.root);
    const outcomes = await Promise.all(
      [one, two].map((place, number) =>
        syncRun(place, things, [[{ id: `of-${number}` }]], { plannedOn: 'none', fullRead: true }),
      ),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['committed', 'overtaken']);
    expect(await readRows(one, things)).toHaveLength(1);
  });

  it('two commits of one run at once both report that it is committed', async () => {
    const one = await openPlace();
    const two = await openPlace(one.root);
    const parts = await stage(one, things, 'run', [{ id: 'a' }]);
    const request = { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state } as const;
    const outcomes = await Promise.all([one, two].map(({ warehouse }) => warehouse.commit(things, request)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['already_committed', 'committed']);
    expect((await readWithDeltaRs(one.folderOf(things))).rows).toHaveLength(1);
  });

  it.each(['its parts', 'its folder'])(
    'a commit whose run another attempt has committed, deleting %s, reports that it is committed',
    async (what) => {
      const place = await openPlace();
      const parts = await stage(place, things, 'run', [{ id: 'a' }]);
      const request = { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state } as const;
      const commitAndSweep = async () => {
        expect(await place.warehouse.commit(things, request)).toMatchObject({ status: 'committed' });
        await place.warehouse.discardStaged(things, 'run');
      };
      const { store } = place;
      const list: Store['list'] = async (prefix, options) => {
        if (what === 'its parts' && prefix === '_staging/things/run/') await commitAndSweep();
        return store.list(prefix, options);
      };
      const scratch: LocalStore['scratch'] = async (prefix) => {
        const folder = await store.local.scratch(prefix);
        if (what === 'its folder' && prefix === '_staging/things/run') await commitAndSweep();
        return folder;
      };
      const overtaken = await openWarehouse(
        { ...store, list, local: { ...store.local, scratch } },
        { destination: place.destination },
      );
      onTestFinished(() => overtaken.close());
      expect(await overtaken.commit(things, request)).toEqual({
        status: 'already_committed',
        version: 0,
        rows: 1,
      });
    },
  );
});

describe('a lost answer', () => {
  it('a run that has committed learns so when it asks again, even after other commits', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]]);
    const run = { chainId: 'mine', plannedOn: 1 } as const;
    expect(await syncRun(place, things, [[{ id: 'b' }]], run)).toMatchObject({
      status: 'committed',
      version: 1,
    });
    const again = { status: 'already_committed', version: 1, rows: 2 };
    expect(await syncRun(place, things, [[{ id: 'b' }]], run)).toEqual(again);
    await committed(place, things, [[{ id: 'c' }]]);
    await changeWithDeltaRs(place.folderOf(things), { change: 'optimize' });
    expect(await syncRun(place, things, [[{ id: 'b' }]], run)).toEqual({ ...again, rows: 3 });
    expect(await syncRun(place, things, [[{ id: 'b' }]], { ...run, chainId: 'other' })).toMatchObject({
      status: 'overtaken',
    });
  });

  it('a commit that the store accepted and reported as failed keeps its files', async () => {
    const place = await openPlace();
    const { store } = place;
    const forgetful = {
      ...store,
      writeIfAbsent: async (key: string, bytes: Uint8Array) => {
        await store.writeIfAbsent(key, bytes);
        return false;
      },
    };
    const warehouse = await openWarehouse(forgetful, { destination: place.root });
    onTestFinished(() => warehouse.close());
    const parts = await stage(place, things, 'run', [{ id: 'a' }]);
    expect(
      await warehouse.commit(things, { chainId: 'run', parts, fullRead: true, plannedOn: 'none', state }),
    ).toMatchObject({ status: 'already_committed', version: 0, rows: 1 });
    expect((await readWithDeltaRs(place.folderOf(things))).rows).toMatchObject([{ id: 'a' }]);
  });

  it('a run restarted after its own commit does not mistake that commit for its new one', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]], { chainId: 'run', fullRead: true });
    const plannedOn = (await place.warehouse.readState(things))!.counter;
    await committed(place, things, [[{ id: 'b' }]], { chainId: 'other' });
    const outcome = await syncRun(place, things, [[{ id: 'c' }]], { chainId: 'run', plannedOn });
    expect(outcome).toMatchObject({ status: 'overtaken' });
  });

  it('a run whose table was deleted since the plan is overtaken', async () => {
    const place = await openPlace();
    expect(await syncRun(place, things, [[{ id: 'a' }]], { plannedOn: 3 })).toMatchObject({
      status: 'overtaken',
    });
  });
});

describe('another writer', () => {
  it('a commit merges on top of an OPTIMIZE that came after the plan', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'x' }]]);
    await committed(place, things, [[{ id: 'b' }]]);
    const folder = place.folderOf(things);
    const before = (await place.warehouse.readState(things))!;
    await changeWithDeltaRs(folder, { change: 'optimize' });
    expect((await place.warehouse.readState(things))!).toEqual(before);
    expect(
      await syncRun(place, things, [[{ id: 'a', name: 'y' }, { id: 'c' }]], { plannedOn: before.counter }),
    ).toMatchObject({ status: 'committed', version: 3, rows: 3, updated: 1, inserted: 1 });
    expect((await readWithDeltaRs(folder)).rows).toHaveLength(3);
    expect(await readRows(place, things)).toMatchObject([{ id: 'a', name: 'y' }, { id: 'b' }, { id: 'c' }]);
  });

  it('an OPTIMIZE keeps the statistics of columns after the 32nd, even in a table of an earlier version', async () => {
    const place = await openPlace();
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`field_${n}`, 'x']));
    await committed(place, things, [[{ id: 'a', ...fields }]]);
    const folder = place.folderOf(things);
    const property = 'delta.dataSkippingNumIndexedCols';
    const { metaData } = (await actionsOf(place, 0)).find((action) => action['metaData'])!;
    const { [property]: chosen, ...earlier } = metaData!['configuration'] as { [name: string]: string };
    expect(chosen).toBe('-1');
    await writeFile(
      join(folder, '_delta_log', '00000000000000000001.json'),
      JSON.stringify({ metaData: { ...metaData, configuration: earlier } }),
    );
    await committed(place, things, [[{ id: 'b', ...fields }]]);
    await changeWithDeltaRs(folder, { change: 'optimize' });
    const { add } = (await actionsOf(place, 3)).find((action) => action['add'])!;
    const { maxValues } = JSON.parse(add!['stats'] as string) as { maxValues: object };
    expect(maxValues).toMatchObject({ id: 'b', ...fields, _synced_at: expect.any(String) });
    expect((await readWithDeltaRs(folder, { where: ['field_39', 'x'] })).rows).toHaveLength(2);
    // A choice that the user made stays.
    await changeWithDeltaRs(folder, { change: 'property', properties: { [property]: '8' } });
    await committed(place, things, [[{ id: 'c', ...fields }]]);
    expect((await readWithDeltaRs(folder)).configuration).toMatchObject({ [property]: '8' });
  });

  it.each([
    ['DELETE', { change: 'delete', predicate: "id = 'a'" }],
    ['UPDATE', { change: 'update', predicate: "id = 'a'", updates: { name: "'odd'" } }],
    ['RESTORE', { change: 'restore', version: 0 }],
    ['append', { change: 'append' }],
  ] as const)(
    'after %s by another writer an incremental run plans again, and the next run is a full read',
    async (_, change) => {
      const place = await openPlace();
      const rows = [{ id: 'a', name: 'x' }, { id: 'b' }];
      await committed(place, things, [rows.slice(0, 1)]);
      await committed(place, things, [rows.slice(1)]);
      expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: false, rows: 2 });
      await changeWithDeltaRs(place.folderOf(things), change);
      expect(await syncRun(place, things, [[{ id: 'c' }]], { plannedOn: 2 })).toMatchObject({
        status: 'overtaken',
      });
      expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: true, counter: 2 });
      // An OPTIMIZE after it does not undo that.
      await changeWithDeltaRs(place.folderOf(things), { change: 'optimize' });
      expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: true });
      await committed(place, things, [rows], { fullRead: true });
      expect(await place.warehouse.readState(things)).toMatchObject({
        disturbed: false,
        rows: 2,
        counter: 3,
      });
      expect(await readRows(place, things)).toMatchObject(rows);
      expect((await readWithDeltaRs(place.folderOf(things))).rows).toHaveLength(2);
    },
  );

  it('a log without our last commit counts as changed by another writer', async () => {
    const place = await openPlace();
    await commitTimes(place, 3);
    await changeWithDeltaRs(place.folderOf(things), { change: 'checkpoint' });
    await rm(join(place.folderOf(things), '_delta_log', '00000000000000000002.json'));
    expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: true, rows: 3, counter: 3 });
  });

  it('a table that another writer made is refused', async () => {
    const place = await openPlace();
    await changeWithDeltaRs(place.folderOf(things), { change: 'create' });
    const refused = destinationErrorWith(`things in ${place.destination}`);
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(refused);
    await expect(
      place.warehouse.commit(things, { chainId: 'run', parts: [], fullRead: true, plannedOn: 'none', state }),
    ).rejects.toMatchObject(refused);
  });

  it.each([
    ['is partitioned', { partitionColumns: ['name'] }],
    [
      'has column invariants',
      {
        schemaString: JSON.stringify({
          type: 'struct',
          fields: [{ name: 'id', type: 'string', nullable: true, metadata: { 'delta.invariants': '{}' } }],
        }),
      },
    ],
  ])('our table is refused once it %s', async (reason, change) => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]]);
    const { metaData } = (await actionsOf(place, 0)).find((action) => action['metaData'])!;
    await writeFile(
      join(place.folderOf(things), '_delta_log', '00000000000000000001.json'),
      JSON.stringify({ metaData: { ...metaData, ...change } }),
    );
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(destinationErrorWith(reason));
  });

  it('our table is refused once it is append-only or needs a newer protocol', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }]]);
    const folder = place.folderOf(things);
    await changeWithDeltaRs(folder, { change: 'property', properties: { 'delta.appendOnly': 'true' } });
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(
      destinationErrorWith('append-only'),
    );
    await changeWithDeltaRs(folder, { change: 'property', properties: { 'delta.appendOnly': 'false' } });
    expect(await place.warehouse.readState(things)).toMatchObject({ rows: 1 });
    const protocol = {
      protocol: {
        minReaderVersion: 3,
        minWriterVersion: 7,
        readerFeatures: ['deletionVectors'],
        writerFeatures: ['deletionVectors'],
      },
    };
    await writeFile(join(folder, '_delta_log', '00000000000000000003.json'), JSON.stringify(protocol));
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(
      destinationErrorWith('3 / writer 7'),
    );
  });

  it('encoded paths and columns of another writer survive our commit', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a', name: 'x' }, { id: 'b' }]]);
    const folder = place.folderOf(things);
    const [, , { metaData }, , , , , { add }] = (await actionsOf(place, 0)) as [
      unknown,
      unknown,
      Actions[number],
      unknown,
      unknown,
      unknown,
      unknown,
      Actions[number],
    ];
    const schema = JSON.parse(String(metaData!['schemaString'])) as { fields: object[] };
    schema.fields.push({ name: 'theirs', type: 'integer', nullable: false, metadata: {} });
    await mkdir(join(folder, 'a b'));
    await writeFile(join(folder, 'a b', 'c%d.parquet'), await readFile(join(folder, String(add!['path']))));
    const actions = [
      { metaData: { ...metaData, schemaString: JSON.stringify(schema) } },
      { remove: { path: add!['path'], deletionTimestamp: Date.now(), dataChange: false } },
      { add: { ...add, path: 'a%20b/c%25d.parquet', dataChange: false, stats: undefined } },
    ];
    await writeFile(
      join(folder, '_delta_log', '00000000000000000001.json'),
      actions.map((action) => JSON.stringify(action)).join('\n'),
    );
    expect(await place.warehouse.readState(things)).toMatchObject({ rows: 2, disturbed: false });
    expect(await committed(place, things, [[{ id: 'a', name: 'y' }, { id: 'c' }]])).toMatchObject({
      rows: 3,
      updated: 1,
    });
    const read = await readWithDeltaRs(folder);
    expect(read.schema.find(({ name }) => name === 'theirs')).toMatchObject({
      type: 'integer',
      nullable: true,
    });
    expect(read.rows.map(({ id, name, theirs }) => [id, name, theirs])).toEqual([
      ['a', 'y', null],
      ['b', null, null],
      ['c', null, null],
    ]);
  });
});

describe('the checkpoint hint', () => {
  const hint = 'things/_delta_log/_last_checkpoint';

  it('the checkpoint hint saves listing the log before it', async () => {
    const place = await openPlace();
    await commitTimes(place, 14);
    const { store } = place;
    let listed = 0;
    const counting: Store = {
      ...store,
      list: async (...asked) => {
        const found = await store.list(...asked);
        listed += found.length;
        return found;
      },
    };
    const warehouse = await openWarehouse(counting, { destination: place.destination });
    onTestFinished(() => warehouse.close());
    expect(await warehouse.readState(things)).toMatchObject({ counter: 14, rows: 14, disturbed: false });
    // Version 10, its checkpoint, the three versions after it, and the hint.
    expect(listed).toBe(6);
  });

  it('the checkpoint hint may be missing, old, broken or wrong', async () => {
    const place = await openPlace();
    await commitTimes(place, 12);
    const versions = [10, 9, 11, 40].map((version) => `{"version":${version},"size":1}`);
    for (const text of [undefined, ...versions, '{"vers', '{"version":"10"}', 'null']) {
      if (text === undefined) await place.store.delete([hint]);
      else await place.store.write(hint, Buffer.from(text));
      const { counter, rows } = (await place.warehouse.readState(things))!;
      expect({ text, counter, rows }).toEqual({ text, counter: 12, rows: 12 });
    }
  });
});

describe('a checkpoint', () => {
  it('every tenth version has a checkpoint from which alone the table can be read', async () => {
    const place = await openPlace();
    await commitTimes(place, 8);
    await committed(place, things, [[{ id: 'row-0', name: 'changed', extra: 1 }]]);
    await committed(place, things, [[{ id: 'row-9' }]]);
    const log = join(place.folderOf(things), '_delta_log');
    // Spark leaves a checksum of its own hint.
    await writeFile(join(log, '._last_checkpoint.crc'), 'crc');
    await committed(place, things, [[{ id: 'row-10' }]]);
    expect((await readdir(log)).filter((name) => !name.endsWith('.json')).sort()).toEqual([
      '00000000000000000010.checkpoint.parquet',
      '_last_checkpoint',
    ]);
    const before = await readRows(place, things);
    const stateBefore = (await place.warehouse.readState(things))!;
    for (const name of await readdir(log)) if (name.endsWith('.json')) await rm(join(log, name));
    expect(await readRows(place, things)).toEqual(before);
    const { lastCommit, ...stateInCheckpoint } = stateBefore;
    expect(lastCommit).toBeDefined();
    expect(await place.warehouse.readState(things)).toEqual({ ...stateInCheckpoint, disturbed: true });
    const read = await readWithDeltaRs(place.folderOf(things));
    expect(read.version).toBe(10);
    expect(read.rows.map(({ id, name, extra }) => [id, name, extra])).toEqual(
      before.map(({ id, name, extra }) => [id, name, extra]),
    );
    expect(read.configuration).toMatchObject({ 'incident_io.account': state.account });
    await committed(place, things, [[{ id: 'row-11' }]], { fullRead: true });
    expect((await readWithDeltaRs(place.folderOf(things))).rows).toMatchObject([{ id: 'row-11' }]);
    expect(await place.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: 12 });
  });

  it('the checkpoint of another writer is read with its tombstones and transactions', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'a' }, { id: 'b' }]]);
    await committed(place, things, [[{ id: 'a', name: 'x' }]]);
    const before = await place.warehouse.readState(things);
    await changeWithDeltaRs(place.folderOf(things), { change: 'checkpoint' });
    const log = join(place.folderOf(things), '_delta_log');
    await rm(join(log, '00000000000000000000.json'));
    expect(await place.warehouse.readState(things)).toEqual(before);
    expect(await committed(place, things, [[{ id: 'c' }]])).toMatchObject({ version: 2, rows: 3 });
    expect((await readWithDeltaRs(place.folderOf(things))).rows).toHaveLength(3);
  });

  it('an error names the version whose checkpoint is cut off', async () => {
    const place = await openPlace();
    await commitTimes(place, 11);
    const log = join(place.folderOf(things), '_delta_log');
    await truncate(join(log, '00000000000000000010.checkpoint.parquet'), 300);
    const reading = place.warehouse.readState(things);
    await expect(reading).rejects.toMatchObject(
      destinationErrorWith('things: the checkpoint of version 10 '),
    );
  });

  it('an error names the version that is missing from the log or broken', async () => {
    const place = await openPlace();
    await commitTimes(place, 3);
    const log = join(place.folderOf(things), '_delta_log');
    await rm(join(log, '00000000000000000001.json'));
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(
      destinationErrorWith('things: version 1 is missing'),
    );
    await writeFile(join(log, '00000000000000000001.json'), '{"add":');
    await expect(place.warehouse.readState(things)).rejects.toMatchObject(
      destinationErrorWith('things: version 1 of its Delta log is not JSON'),
    );
  });
});

describe('statistics', () => {
  async function statisticsOf(place: Place): Promise<{ [kind: string]: { [column: string]: unknown } }> {
    const actions = await actionsOf(place, 0);
    return JSON.parse(String(actions.find(({ add }) => add)?.['add']?.['stats'])) as never;
  }

  it('statistics never make a reader skip the file with a row that it asks for', async () => {
    const place = await openPlace();
    const long = 'z'.repeat(40);
    await committed(place, things, [
      [
        {
          id: 'a',
          rank: new LosslessNumber('9007199254740993'),
          name: `${long}1`,
          minutes: 1e308,
          active: true,
          summary: 'l'.repeat(5_000),
          updated_at: '2261-12-31T23:59:59.999999Z',
        },
        {
          id: 'b',
          rank: -5,
          name: `${'z'.repeat(31)}\u{1f692}x`,
          minutes: -1e308,
          owner: { id: 'u' },
          updated_at: '1900-01-01T00:00:00.000001Z',
        },
        { id: '\u{1f692}', rank: 3, name: 'a\0b', minutes: 0, updated_at: '2024-01-01T00:00:00.000001Z' },
        { id: '\uffee', name: 'ÿ' },
      ],
    ]);
    const folder = place.folderOf(things);
    const found = async (column: string, value: string | number | boolean | { long: string }) =>
      (await readWithDeltaRs(folder, { where: [column, value] })).rows.map(({ id }) => id);
    expect(await found('rank', { long: '9007199254740993' })).toEqual(['a']);
    expect(await found('name', `${long}1`)).toEqual(['a']);
    expect(await found('name', `${'z'.repeat(31)}\u{1f692}x`)).toEqual(['b']);
    expect(await found('name', 'a\0b')).toEqual(['\u{1f692}']);
    expect(await found('id', '\u{1f692}')).toEqual(['\u{1f692}']);
    expect(await found('id', '\uffee')).toEqual(['\uffee']);
    expect(await found('minutes', -1e308)).toEqual(['b']);
    const { minValues, maxValues, nullCount } = await statisticsOf(place);
    expect(await found('owner', '{"id":"u"}')).toEqual(['b']);
    expect(await found('active', true)).toEqual(['a']);
    expect(await found('summary', 'l'.repeat(5_000))).toEqual(['a']);
    expect(maxValues).toMatchObject({
      rank: 9_007_199_254_743_040,
      // Statistics have milliseconds, and a bound must not be below the value.
      updated_at: '2262-01-01T00:00:00.000Z',
    });
    expect(minValues).not.toHaveProperty('tags');
    expect(nullCount).toMatchObject({ id: 0, rank: 1, tags: 4 });
    // The merge skips files by them too.
    expect(
      await committed(place, things, [[{ id: '\u{1f692}' }, { id: '\uffee', name: 'ÿ' }, { id: 'a' }]]),
    ).toMatchObject({
      inserted: 0,
      rows: 4,
    });
  });

  it('statistics round times outwards and cut texts so that the bounds still hold', async () => {
    const place = await openPlace();
    await committed(place, things, [
      [
        { id: 'a', name: 'n'.repeat(50), rank: 1, updated_at: '2024-01-01T00:00:00.000999Z' },
        { id: 'b', name: 'm'.repeat(50), rank: 2, updated_at: '2024-12-31T23:59:59.999001Z' },
      ],
    ]);
    expect(await statisticsOf(place)).toMatchObject({
      numRecords: 2,
      minValues: { id: 'a', name: 'm'.repeat(32), rank: 1, updated_at: '2024-01-01T00:00:00.000Z' },
      maxValues: {
        id: 'b',
        name: `${'n'.repeat(32)}${'\u{10ffff}'.repeat(8)}`,
        rank: 2,
        updated_at: '2025-01-01T00:00:00.000Z',
      },
    });
  });
});
