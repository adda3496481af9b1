import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { datedStore } from '../../helpers/dated-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import type { Store } from '../../../src/warehouse/store/store.ts';
import type { Upkeep } from '../../../src/warehouse/warehouse.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import {
  committed,
  destinationErrorWith,
  openPlace,
  type Place,
  query,
  readRows,
  type RunOptions,
  stage,
  things,
} from '../../helpers/warehouse.ts';

const hour = 3_600_000;
const day = 24 * hour;
const never = new AbortController().signal;

type Played = Place & {
  /** The time for the warehouse and its files. */
  readonly clock: { now: number };
  readonly meanwhile: {
    /** Called once, before the file of a version is written. */
    before?: (() => Promise<unknown>) | undefined;
    /** A key that the store refuses to delete. */
    stuck?: string;
  };
  readonly keepUp: (since?: number) => Promise<Upkeep>;
  /** A commit, and the upkeep that it asks for. */
  readonly run: (rows: Rows, options?: RunOptions) => Promise<number>;
  readonly logNames: () => Promise<string[]>;
  readonly dataNames: () => Promise<string[]>;
};
type Rows = readonly { readonly id: string; readonly [column: string]: unknown }[];

/** A warehouse whose time the test sets, also for its files. It starts this long before the real time. */
async function play(beforeMs = 0): Promise<Played> {
  const there = await openPlace();
  const { root, destination } = there;
  const clock = { now: Date.now() - beforeMs };
  const meanwhile: Played['meanwhile'] = {};
  const dated = datedStore(there.store, root, () => clock.now);
  const store: Store = {
    ...dated,
    async writeIfAbsent(key, bytes) {
      const { before } = meanwhile;
      if (before && /_delta_log\/\d+\.json$/.test(key)) {
        meanwhile.before = undefined;
        await before();
      }
      return dated.writeIfAbsent(key, bytes);
    },
    async delete(keys) {
      const { stuck } = meanwhile;
      if (stuck !== undefined && keys.includes(stuck)) {
        throw Object.assign(new Error(`EACCES: ${stuck}`), { code: 'EACCES' });
      }
      await dated.delete(keys);
    },
  };
  const warehouse = await openWarehouse(store, { destination, now: () => clock.now });
  onTestFinished(() => warehouse.close());
  const place: Place = { ...there, store, warehouse };
  const folder = place.folderOf(things);
  /** Upkeep as after a commit, which has dated the newest version. */
  const keepUp = async (since = 0) => {
    const versions = (await readdir(join(folder, '_delta_log'))).filter((name) => /^\d+\.json$/.test(name));
    const newest = join(folder, '_delta_log', versions.sort().at(-1)!);
    await utimes(newest, clock.now / 1_000, clock.now / 1_000);
    return warehouse.keepUp(things, since, never);
  };
  return {
    ...place,
    clock,
    meanwhile,
    keepUp,
    async run(rows, options) {
      const { version, upkeepSince } = await committed(place, things, [rows], options);
      if (upkeepSince !== undefined) await keepUp(upkeepSince);
      return version;
    },
    logNames: async () => (await readdir(join(folder, '_delta_log'))).sort(),
    dataNames: async () => (await readdir(folder)).filter((name) => name.startsWith('part-')).sort(),
  };
}

/** The data file that a version added. */
async function fileOf({ folderOf }: Place, version: number): Promise<string> {
  const text = await readFile(join(folderOf(things), '_delta_log', `${digits(version)}.json`), 'utf8');
  return /"add":\{"path":"([^"]+)"/.exec(text)![1]!;
}

const digits = (version: number) => String(version).padStart(20, '0');
const newestVersion = async ({ folderOf }: Place) => (await readWithDeltaRs(folderOf(things))).version;

/** The number of rows with an id in all data files, live or not. */
async function onDisk({ folderOf }: Place, id: string): Promise<number> {
  const [found] = await query(
    `SELECT count(*) AS found FROM read_parquet('${folderOf(things)}/*.parquet', union_by_name = true) WHERE id = '${id}'`,
  );
  return Number(found?.['found']);
}

describe('upkeep after each run', () => {
  it('upkeep keeps every version younger than the retention readable, and deletes what is older', async () => {
    const played = await play();
    const folder = played.folderOf(things);
    const [runs, every] = [27, 3 * hour];
    let truth = new Map<string, string>();
    /** Rows of the dropped id that are still on the disk after it was dropped. */
    let dropped = 0;
    /** The rows of each version, and until when it was the newest. */
    const versions: { rows: Map<string, string>; until: number }[] = [];
    for (let run = 0; run < runs; run += 1) {
      const changed = [`row-${run}`, `row-${Math.max(run - 3, 0)}`, ...(run === 3 ? ['gone'] : [])];
      truth = new Map([...truth, ...changed.map((id) => [id, `run ${run}`] as const)]);
      const fullRead = run % 8 === 7;
      if (run === 7) truth.delete('gone');
      const rows = [...truth].filter(([id]) => fullRead || changed.includes(id));
      if (versions.length > 0) versions.at(-1)!.until = played.clock.now;
      await played.run(
        rows.map(([id, name]) => ({ id, name })),
        { ...(fullRead && { fullRead }), retentionMs: day },
      );
      const newest = Number(
        (await played.logNames()).findLast((name) => /^\d+\.json$/.test(name))!.slice(0, 20),
      );
      while (versions.length <= newest) versions.push({ rows: truth, until: played.clock.now });
      if (run === 7) dropped = await onDisk(played, 'gone');
      played.clock.now += every;
    }
    const newest = versions.length - 1;
    expect(newest).toBeGreaterThan(runs);
    const readable = versions.flatMap(({ rows, until }, version) =>
      version === newest || until > played.clock.now - every - day ? [{ version, rows }] : [],
    );
    expect(readable.length).toBeGreaterThan(day / every);
    for (const { version, rows } of readable) {
      const read = await readWithDeltaRs(folder, { version });
      expect(new Map(read.rows.map(({ id, name }) => [id, name])), `version ${version}`).toEqual(rows);
    }
    // Versions from before yesterday cannot be read any more.
    const names = await played.logNames();
    expect(names).not.toContain(`${digits(0)}.json`);
    expect(names.filter((name) => name.endsWith('.json')).length).toBeLessThan(2 * (day / every) + 10);
    expect(dropped).toBeGreaterThan(0);
    expect(await onDisk(played, 'gone')).toBe(0);
    expect((await played.dataNames()).length).toBeLessThan(40);
    expect((await readWithDeltaRs(folder)).configuration).toMatchObject({
      'delta.deletedFileRetentionDuration': 'interval 1 days',
    });
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: runs });
  });

  it('upkeep compacts small files into one with every row unchanged', async () => {
    const played = await play();
    const folder = played.folderOf(things);
    const ids = ['h', 'a', 'g', 'b', 'f', 'c', 'e', 'd'];
    for (const id of ids) {
      played.clock.now += 60_000;
      // The first file lacks a column that the others have.
      await played.run([{ id, name: `of ${id}`, ...(id !== 'h' && { odd: id }) }]);
    }
    const [before, after] = [
      await readWithDeltaRs(folder, { version: 7 }),
      await readWithDeltaRs(folder, { version: 8 }),
    ];
    expect([before.files, after.files]).toEqual([8, 1]);
    expect(after.rows).toEqual(before.rows);
    const actions = (await readFile(join(folder, '_delta_log', `${digits(8)}.json`), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { [kind: string]: { dataChange?: boolean; operation?: string } });
    expect(actions[0]).toMatchObject({ commitInfo: { operation: 'OPTIMIZE' } });
    expect(actions.some(({ txn }) => txn)).toBe(false);
    expect(actions.slice(1).every(({ add, remove }) => (add ?? remove)?.dataChange === false)).toBe(true);
    const inFile = await query(`SELECT id FROM read_parquet('${join(folder, await fileOf(played, 8))}')`);
    expect(inFile.map(({ id }) => id).join('')).toBe('abcdefgh');
    // Its statistics find the rows by the column that not all files had.
    expect((await readWithDeltaRs(folder, { where: ['odd', 'c'] })).rows).toMatchObject([{ id: 'c' }]);
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: 8, rows: 8 });
  });

  it('a commit asks for upkeep only if there is something to do', async () => {
    const played = await play();
    const commit = async () => {
      const rows = [{ id: 'a', name: String(played.clock.now) }];
      return (await committed(played, things, [rows])).upkeepSince;
    };
    expect(await commit()).toBeUndefined();
    played.clock.now += hour;
    expect(await commit()).toBeUndefined();
    // Once a day the folder has to be looked at.
    played.clock.now += day;
    expect(await commit()).toBe(played.clock.now - day);
    played.clock.now += 7 * day;
    await played.keepUp(await commit());
    const files = await played.dataNames();
    // The last file that was replaced, a week ago, is deleted in the hour after its retention ends.
    played.clock.now += 30 * 60_000;
    expect(await commit()).toBeUndefined();
    played.clock.now += hour;
    await played.keepUp(await commit());
    expect((await played.dataNames()).filter((name) => files.includes(name))).toHaveLength(files.length - 1);
  });
});

describe('compaction', () => {
  /** Files of one row each, which the next upkeep compacts. */
  async function withSmallFiles(): Promise<Played> {
    const played = await play();
    for (const id of 'abcdefgh') await committed(played, things, [[{ id, name: 'old' }]]);
    return played;
  }
  const names = async (played: Played) =>
    (await readRows(played, things)).map(({ id, name }) => `${String(id)} ${String(name)}`).join(', ');

  it('compaction gives way to a merge that removed one of its files, and leaves nothing behind', async () => {
    const played = await withSmallFiles();
    played.meanwhile.before = () => committed(played, things, [[{ id: 'c', name: 'new' }, { id: 'i' }]]);
    expect(await played.keepUp()).toMatchObject({ filesCompacted: 0 });
    expect(await newestVersion(played)).toBe(8);
    expect(await names(played)).toBe('a old, b old, c new, d old, e old, f old, g old, h old, i null');
    const { files } = await readWithDeltaRs(played.folderOf(things));
    expect(await played.dataNames()).toHaveLength(files + 1);
  });

  it('compaction commits on top of a version that removed none of its files', async () => {
    const played = await withSmallFiles();
    played.meanwhile.before = () => committed(played, things, [[{ id: 'i' }]]);
    expect(await played.keepUp()).toMatchObject({ filesCompacted: 8 });
    expect(await newestVersion(played)).toBe(9);
    const read = await readWithDeltaRs(played.folderOf(things));
    expect([read.rows.length, read.files]).toEqual([9, 2]);
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: 9 });
  });

  it.each([false, true])(
    'a run merges on top of a compaction that came first (full read: %s)',
    async (fullRead) => {
      const played = await withSmallFiles();
      played.meanwhile.before = () => played.keepUp();
      const rows = [{ id: 'c', name: 'new' }, { id: 'i' }];
      const all = 'abdefgh'.split('').map((id) => ({ id, name: 'old' }));
      expect(
        await committed(played, things, [fullRead ? [...rows, ...all] : rows], { fullRead }),
      ).toMatchObject({ version: 9, inserted: 1, updated: 1, rows: 9, counter: 9 });
      expect(await names(played)).toBe('a old, b old, c new, d old, e old, f old, g old, h old, i null');
      // The file that the first merge wrote has been deleted.
      const { files } = await readWithDeltaRs(played.folderOf(things));
      expect(await played.dataNames()).toHaveLength(files + 8 + 1);
    },
  );

  it('two compactions at once compact the files once', async () => {
    const played = await withSmallFiles();
    played.meanwhile.before = () => played.keepUp();
    expect(await played.keepUp()).toMatchObject({ filesCompacted: 0 });
    expect((await readWithDeltaRs(played.folderOf(things))).rows).toHaveLength(8);
    expect(await newestVersion(played)).toBe(8);
  });
});

describe('files that no commit names', () => {
  it('a data file that no commit names is deleted after a week, and neither a younger one nor another file is', async () => {
    const played = await play();
    await played.run([{ id: 'a' }]);
    // A run that is killed between its upload and its commit.
    played.meanwhile.before = () => Promise.reject(new Error('killed'));
    await expect(committed(played, things, [[{ id: 'b' }]])).rejects.toThrow('killed');
    const [live, left] = [await readWithDeltaRs(played.folderOf(things)), await played.dataNames()];
    expect([live.files, left.length]).toEqual([1, 2]);
    const kept = ['_copy/part.parquet', '.part.parquet', 'notes.txt'];
    await mkdir(join(played.folderOf(things), '_copy'));
    for (const name of kept) {
      await writeFile(join(played.folderOf(things), name), 'x');
      await utimes(join(played.folderOf(things), name), played.clock.now / 1_000, played.clock.now / 1_000);
    }
    played.clock.now += 7 * day - hour;
    await played.keepUp();
    expect(await played.dataNames()).toEqual(left);
    // Now a run that is between its upload and its commit.
    played.clock.now += 2 * hour;
    played.meanwhile.before = async () => {
      expect(await played.keepUp()).toMatchObject({ filesRemoved: 1 });
    };
    await played.run([{ id: 'c' }]);
    expect(await readRows(played, things)).toMatchObject([{ id: 'a' }, { id: 'c' }]);
    expect(await played.dataNames()).toHaveLength(2);
    expect(kept.filter((name) => existsSync(join(played.folderOf(things), name)))).toEqual(kept);
  });

  it('removed files stay for the retention even if the checkpoint of another writer forgot them', async () => {
    const played = await play();
    for (const name of ['x', 'y']) await played.run([{ id: 'a', name }], { retentionMs: 30 * day });
    played.clock.now += 8 * day;
    await played.run([{ id: 'a', name: 'z' }]);
    const files = await played.dataNames();
    // A checkpoint of the newest version, without tombstones.
    const log = join(played.folderOf(things), '_delta_log');
    const newest = await newestVersion(played);
    await changeWithDeltaRs(played.folderOf(things), { change: 'checkpoint' });
    const checkpoint = join(log, `${digits(newest)}.checkpoint.parquet`);
    await query(
      `COPY (SELECT * REPLACE (NULL AS remove) FROM read_parquet('${checkpoint}')) TO '${checkpoint}2' (FORMAT parquet)`,
    );
    await rename(`${checkpoint}2`, checkpoint);
    expect(await played.keepUp()).toMatchObject({ filesRemoved: 0 });
    expect(await played.dataNames()).toEqual(files);
    expect((await readWithDeltaRs(played.folderOf(things), { version: 0 })).rows).toMatchObject([
      { name: 'x' },
    ]);
  });

  it('a file outside the table folder is not deleted although the log names it', async () => {
    const played = await play();
    await played.run([{ id: 'a' }]);
    const other = join(played.root, 'other');
    await mkdir(other);
    await writeFile(join(other, 'part.parquet'), 'x');
    // The log says that it removed a file of another folder.
    const remove = { path: '../other/part.parquet', deletionTimestamp: 1, dataChange: false };
    const line = `${JSON.stringify({ commitInfo: {} })}\n${JSON.stringify({ remove })}\n`;
    await writeFile(join(played.folderOf(things), '_delta_log', `${digits(1)}.json`), line);
    await played.keepUp();
    expect(existsSync(join(other, 'part.parquet'))).toBe(true);
  });
});

describe('other tools', () => {
  it('other tools may optimize, restore and vacuum between our runs', async () => {
    const played = await play(20 * day);
    const folder = played.folderOf(things);
    for (const id of 'abcdef') {
      await played.run([{ id, name: 'first' }]);
      played.clock.now += hour;
    }
    played.clock.now = Date.now();
    await changeWithDeltaRs(folder, { change: 'optimize' });
    await played.run([{ id: 'a', name: 'second' }]);
    await changeWithDeltaRs(folder, { change: 'vacuum' });
    const before = await newestVersion(played);
    await played.run([{ id: 'b', name: 'second' }, { id: 'g' }], { fullRead: true });
    played.clock.now = Date.now();
    await played.keepUp();
    await changeWithDeltaRs(folder, { change: 'restore', version: before });
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: true, rows: 6 });
    // A file that was removed long ago and restored is in use again.
    played.clock.now += 8 * day;
    await played.run([{ id: 'a', name: 'third' }, ...'bcdef'.split('').map((id) => ({ id }))], {
      fullRead: true,
    });
    played.clock.now += 8 * day;
    await played.run([{ id: 'h' }]);
    expect(
      (await readWithDeltaRs(folder)).rows.map(({ id, name }) => `${String(id)} ${String(name)}`),
    ).toEqual(['a third', 'b null', 'c null', 'd null', 'e null', 'f null', 'h null']);
    // The files that other tools replaced have been deleted.
    expect((await played.dataNames()).length).toBe((await readWithDeltaRs(folder)).files);
  });
});

describe('the log', () => {
  /** Twelve old versions, with a checkpoint of the tenth, and a run of today. */
  async function withOldLog(): Promise<Played> {
    const played = await play();
    for (let run = 0; run < 12; run += 1) await committed(played, things, [[{ id: 'a', name: `${run}` }]]);
    played.clock.now += 8 * day;
    await committed(played, things, [[{ id: 'b' }]]);
    return played;
  }
  const checkpointOf = (played: Played, version: number) =>
    join(played.folderOf(things), '_delta_log', `${digits(version)}.checkpoint.parquet`);

  it('the log before a broken checkpoint is kept, and the rest of upkeep is done', async () => {
    const played = await withOldLog();
    const old = new Date(played.clock.now - 8 * day);
    const today = new Date(played.clock.now);
    // A younger checkpoint, so that the table can still be opened.
    await changeWithDeltaRs(played.folderOf(things), { change: 'checkpoint' });
    await utimes(checkpointOf(played, 12), today, today);
    await writeFile(checkpointOf(played, 10), 'x');
    await utimes(checkpointOf(played, 10), old, old);
    const names = await played.logNames();
    await expect(played.keepUp()).rejects.toMatchObject(
      destinationErrorWith('things: the checkpoint of version 10 '),
    );
    expect(await played.logNames()).toEqual(names);
    expect((await played.dataNames()).length).toBe(2);
  });

  it('the log before a checkpoint of several files is deleted, and the table can still be read', async () => {
    const played = await withOldLog();
    const folder = played.folderOf(things);
    const old = new Date(played.clock.now - 8 * day);
    for (const part of [1, 2]) {
      const name = checkpointOf(played, 10).replace(
        '.parquet',
        `.${String(part).padStart(10, '0')}.${String(2).padStart(10, '0')}.parquet`,
      );
      const half = part === 1 ? 'add IS NULL' : 'add IS NOT NULL';
      await query(`COPY (FROM read_parquet('${checkpointOf(played, 10)}') WHERE ${half}) TO '${name}'`);
      await utimes(name, old, old);
    }
    await rm(checkpointOf(played, 10));
    // Checksums that Spark leaves on a local disk.
    await writeFile(join(folder, '_delta_log', `.${digits(3)}.json.crc`), 'x');
    await writeFile(join(folder, '_delta_log', `${digits(3)}.crc`), 'x');
    expect((await played.keepUp()).logRemoved).toBe(10 + 2);
    const names = await played.logNames();
    expect(names.filter((name) => name.includes('.json'))).toEqual(
      [10, 11, 12].map((version) => `${digits(version)}.json`),
    );
    expect(await readRows(played, things)).toMatchObject([{ id: 'a', name: '11' }, { id: 'b' }]);
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: 13 });
  });

  it('the log keeps our last commit, however many versions of other writers follow it', async () => {
    const played = await play();
    for (let run = 0; run < 3; run += 1) await committed(played, things, [[{ id: 'a', name: `${run}` }]]);
    const log = join(played.folderOf(things), '_delta_log');
    for (let version = 3; version < 9; version += 1) {
      await writeFile(join(log, `${digits(version)}.json`), '{"commitInfo":{"operation":"OPTIMIZE"}}\n');
    }
    await changeWithDeltaRs(played.folderOf(things), { change: 'checkpoint' });
    const old = (played.clock.now - 30 * day) / 1_000;
    for (const name of await readdir(log)) await utimes(join(log, name), old, old);
    await played.keepUp();
    expect(await played.logNames()).toContain(`${digits(2)}.json`);
    expect(await played.warehouse.readState(things)).toMatchObject({ disturbed: false, counter: 3 });
  });
});

it('upkeep does the rest if a file cannot be deleted, and then fails with that error', async () => {
  const played = await play();
  for (const name of ['x', 'y', 'z']) await committed(played, things, [[{ id: 'a', name }]]);
  played.meanwhile.stuck = `things/${await fileOf(played, 0)}`;
  for (const id of 'bcdefghi') await committed(played, things, [[{ id }]]);
  await stage(played, things, 'dead', [{ id: 'a' }]);
  played.clock.now += 8 * day;
  await expect(played.keepUp()).rejects.toMatchObject({ code: 'EACCES' });
  const left = await played.dataNames();
  const { files, version } = await readWithDeltaRs(played.folderOf(things));
  // The nine compacted files stay for another week. The two replaced ones are in the step that failed.
  expect([files, version, left.length]).toEqual([1, 11, 1 + 9 + 2]);
  expect(await played.store.list('_staging/things/')).toEqual([]);
});

it('upkeep sweeps staging that was untouched for a week, and no other', async () => {
  const played = await play();
  await played.run([{ id: 'a' }]);
  await stage(played, things, 'dead', [{ id: 'a' }]);
  played.clock.now += 2 * day;
  const parts = await stage(played, things, 'alive', [{ id: 'b' }]);
  played.clock.now += 5 * day + hour;
  expect(await played.keepUp()).toMatchObject({ stagingSwept: 1 });
  const staged = await played.store.list('_staging/things/');
  expect(staged.map(({ key }) => key.split('/')[2])).toEqual(['alive']);
  expect(parts).toHaveLength(1);
});

it('upkeep with a clock that is days ahead does not delete a file of a commit in progress', async () => {
  const place = await openPlace();
  await committed(place, things, [[{ id: 'a' }]]);
  const { destination, store } = place;
  const fast = await openWarehouse(store, { destination, now: () => Date.now() + 8 * day });
  let kept: Upkeep | undefined;
  const meanwhile: Store = {
    ...store,
    async writeIfAbsent(key, bytes) {
      if (/_delta_log\/\d+\.json$/.test(key)) kept = await fast.keepUp(things, 0, never);
      return store.writeIfAbsent(key, bytes);
    },
  };
  const warehouse = await openWarehouse(meanwhile, { destination });
  onTestFinished(() => Promise.all([fast.close(), warehouse.close()]).then(() => undefined));
  await committed({ ...place, warehouse }, things, [[{ id: 'b' }]]);
  expect(kept).toMatchObject({ filesRemoved: 0 });
  expect(await readRows(place, things)).toHaveLength(2);
});

it.each([
  ['six hours', 6 * hour, 10],
  ['day', day, 10],
  ['week', 7 * day, 22],
])(
  'the values of a deleted row leave the log in time if there is a run every %s',
  async (_, every, withinDays) => {
    const played = await play();
    const zoe = { id: 'z', name: 'Zoe' };
    const run = async (...rows: Rows) => {
      played.clock.now += every;
      await played.run([{ id: 'a', name: 'Ann' }, ...rows], { fullRead: true });
    };
    // The last run with the row has a checkpoint, which holds its values.
    for (let count = 0; count < 10; count += 1) await run(zoe);
    const gone = played.clock.now + withinDays * day;
    const holders = async () => {
      const texts = await Promise.all(
        (await played.logNames()).map(async (name) => {
          const path = join(played.folderOf(things), '_delta_log', name);
          if (!name.endsWith('.parquet')) return readFile(path, 'utf8');
          return JSON.stringify(await query(`SELECT add.stats FROM read_parquet('${path}')`));
        }),
      );
      return texts.filter((text) => text.includes('Zoe')).length;
    };
    expect(await holders()).toBeGreaterThan(0);
    while (played.clock.now + every <= gone) await run();
    expect(await holders()).toBe(0);
  },
);

it('upkeep deletes nothing if the retention of a table is not an interval', async () => {
  const played = await play();
  for (const name of ['x', 'y']) await committed(played, things, [[{ id: 'a', name }]]);
  const properties = { 'delta.deletedFileRetentionDuration': 'for ever' };
  const log = join(played.folderOf(things), '_delta_log');
  const [, , metaData] = (await readFile(join(log, `${digits(0)}.json`), 'utf8')).trim().split('\n');
  const { metaData: before } = JSON.parse(metaData!) as { metaData: { configuration: object } };
  const changed = { ...before, configuration: { ...before.configuration, ...properties } };
  await writeFile(join(log, `${digits(2)}.json`), `${JSON.stringify({ metaData: changed })}\n`);
  played.clock.now += 30 * day;
  await expect(played.keepUp()).rejects.toMatchObject(
    destinationErrorWith('delta.deletedFileRetentionDuration'),
  );
  expect(await played.dataNames()).toHaveLength(2);
  await expect(played.run([{ id: 'b' }], { retentionMs: 7 * day })).resolves.toBe(3);
  expect(await played.dataNames()).toHaveLength(2);
});
