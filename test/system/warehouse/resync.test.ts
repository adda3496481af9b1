import { expect, it } from 'vitest';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { committed, openPlace, state, syncRun, things } from '../../helpers/warehouse.ts';

const record = (id: string, name: string) => ({ id, name, updated_at: '2026-11-01T00:00:00Z' });

it('a resync keeps the rows and forgets watermark and account, at any version of the table', async () => {
  const place = await openPlace();
  await committed(place, things, [[record('1', 'a'), record('2', 'b')]]);
  // Version 10 has a checkpoint, from which the later ones are read.
  for (let version = 1; version <= 11; version += 1) {
    expect(await place.warehouse.resetState(things)).toBe(true);
    expect(await place.warehouse.readState(things)).toMatchObject({
      counter: version + 1,
      account: 'unknown',
      rows: 2,
      disturbed: false,
    });
  }
  expect(await place.warehouse.readState(things)).not.toHaveProperty('watermark');
  const { version, rows } = await readWithDeltaRs(place.folderOf(things));
  expect(version).toBe(11);
  expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(['a', 'b']));
  // Other writers accept such a log, and so does our next run.
  await changeWithDeltaRs(place.folderOf(things), { change: 'optimize' });
  await committed(place, things, [[record('3', 'c')]], { fullRead: true });
  expect(await place.warehouse.readState(things)).toMatchObject({ ...state, rows: 1 });
});

it('a resync overtakes a run that was planned before it', async () => {
  const place = await openPlace();
  const { counter } = await committed(place, things, [[record('1', 'a')]]);
  await place.warehouse.resetState(things);
  const late = await syncRun(place, things, [[record('1', 'late')]], { plannedOn: counter });
  expect(late.status).toBe('overtaken');
});

it('a resync does not hide that a run had committed before it and lost the answer', async () => {
  const place = await openPlace();
  const { counter } = await committed(place, things, [[record('1', 'a')]]);
  const run = { chainId: 'lost', plannedOn: counter };
  await committed(place, things, [[record('2', 'b')]], run);
  await place.warehouse.resetState(things);
  const again = await syncRun(place, things, [[record('2', 'b')]], run);
  expect(again).toMatchObject({ status: 'already_committed', version: 1 });
  expect(await place.warehouse.readState(things)).not.toHaveProperty('watermark');
});

it('a resync and a commit at the same time never leave a watermark', async () => {
  for (let round = 0; round < 10; round += 1) {
    const place = await openPlace();
    const { counter } = await committed(place, things, [[record('1', 'a')]]);
    const [outcome] = await Promise.all([
      syncRun(place, things, [[record('2', 'b')]], { plannedOn: counter }),
      place.warehouse.resetState(things),
    ]);
    const after = await place.warehouse.readState(things);
    const isCommitted = outcome.status === 'committed';
    expect(after).toMatchObject({ rows: isCommitted ? 2 : 1, counter: isCommitted ? 3 : 2 });
    expect(after).not.toHaveProperty('watermark');
  }
});

it('a resync without a table does nothing, and a table of another writer is refused', async () => {
  const place = await openPlace();
  expect(await place.warehouse.resetState(things)).toBe(false);
  await changeWithDeltaRs(place.folderOf(things), { change: 'create' });
  await expect(place.warehouse.resetState(things)).rejects.toMatchObject({ name: 'DestinationError' });
});
