import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { resultOf, worldOf } from '../../helpers/one-table.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();

const sizes = { incidents: 60, incident_updates: 0, follow_ups: 0, alerts: 120, escalations: 0, users: 5 };

describe('a key that occurs twice', () => {
  // A page has fifty rows; the first row appears again on the third page.
  it.each([
    ['the later one, if it is newer', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'second'],
    ['the earlier one, if that is newer', '2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', 'first'],
    ['the newer one by a microsecond', '2026-01-01T00:00:00.000002Z', '2026-01-01T00:00:00.000001Z', 'first'],
    [
      'the newer one, though its offset differs',
      '2026-01-01T02:00:00+01:00',
      '2026-01-01T00:30:00Z',
      'first',
    ],
    ['the later one, if both have the same time', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'second'],
    ['the one whose time cannot be read', 'soon', '2026-01-02T00:00:00Z', 'first'],
  ])('leaves one row: %s', async (_, first, second, expected) => {
    const { sandbox, destination, run } = await worldOf(temporal, { sizes });
    const [id, double] = [sandbox.idAt('alerts', 5), sandbox.idAt('alerts', 119)];
    sandbox.transform = (record, table) => {
      if (table !== 'alerts') return record;
      if (record['id'] === id) return { ...record, title: 'first', updated_at: first };
      if (record['id'] === double) return { ...record, id, title: 'second', updated_at: second };
      return record;
    };
    const { rows } = resultOf(await run({ table: 'alerts' }));
    expect(rows).toBe(119);
    const read = await readWithDeltaRs(join(destination, 'alerts'));
    expect(read.rows.filter((row) => row['id'] === id)).toMatchObject([{ title: expected }]);
    expect(new Set(read.rows.map((row) => row['id'])).size).toBe(119);
  });
});
