import { describe, expect, it } from 'vitest';
import { mostUnknownColumns } from '../../../src/records/unknown-fields.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { committed, openPlace, type Place, things } from '../../helpers/warehouse.ts';

/** Rows with undeclared fields, each of which is in one row only. */
function wide(rows: number, fieldsEach: number, prefix = 'custom'): { [field: string]: unknown }[] {
  return Array.from({ length: rows }, (_, row) => ({
    id: `${prefix} ${row}`,
    ...Object.fromEntries(
      Array.from({ length: fieldsEach }, (_, field) => [`${prefix} "${row}" ${field}`, `${row} ${field}`]),
    ),
  }));
}

/** The unknown fields of each row as delta-rs reads the table, from columns of their own and from the one for the rest. */
async function unknownFields(place: Place) {
  const { rows, schema } = await readWithDeltaRs(place.folderOf(things));
  const columns = schema.flatMap(({ name, metadata }) => {
    const key = metadata['incident_io.field'];
    return typeof key === 'string' ? [{ name, field: JSON.parse(`"${key}"`) as string }] : [];
  });
  const read = rows.map((row) => ({
    id: row['id'],
    ...Object.fromEntries(
      columns.filter(({ name }) => row[name] !== null).map(({ name, field }) => [field, row[name]]),
    ),
    ...(JSON.parse((row['_further_fields'] as string | null) ?? '{}') as object),
  }));
  return { columns: columns.length, read: new Map(read.map((row) => [row.id, row])) };
}

describe('fields beyond those that get a column of their own', () => {
  it('are together in one column, and no value is lost', async () => {
    const place = await openPlace();
    const sent = wide(40, 25);
    const { columnsAdded } = await committed(place, things, [sent.slice(0, 20), sent.slice(20)]);
    expect(columnsAdded).toHaveLength(mostUnknownColumns + 1);
    expect(columnsAdded).toContain('_further_fields');
    const { columns, read } = await unknownFields(place);
    expect(columns).toBe(mostUnknownColumns);
    expect(read).toEqual(new Map(sent.map((row) => [row['id'], row])));
  });

  it('stay there in later runs, which add no column for others', async () => {
    const place = await openPlace();
    await committed(place, things, [wide(40, 25)]);
    const changed = wide(40, 25).map((row) => ({ ...row, one: 1, 'more "of them"': { a: ['ä'] } }));
    expect(await committed(place, things, [changed])).toMatchObject({ columnsAdded: [] });
    const { columns, read } = await unknownFields(place);
    expect(columns).toBe(mostUnknownColumns);
    expect(read.get('custom 7')).toEqual({ ...changed[7], one: '1', 'more "of them"': '{"a":["ä"]}' });
    expect(await committed(place, things, [changed])).toMatchObject({ inserted: 0, updated: 0 });
  });

  it('leave the columns that the table already has filled', async () => {
    const place = await openPlace();
    await committed(place, things, [[{ id: 'broad 0', zone: 'north' }]]);
    const broad = wide(1, 500, 'broad').map((row) => ({ ...row, zone: 'south' }));
    await committed(place, things, [broad]);
    const { rows } = await readWithDeltaRs(place.folderOf(things));
    expect(rows[0]).toMatchObject({ zone: 'south' });
    expect((await unknownFields(place)).read.get('broad 0')).toEqual(broad[0]);
  });

  it('may be as many as the rows, in a bounded amount of memory', async () => {
    const place = await openPlace();
    // 100,000 names: as columns they would need gigabytes.
    const narrow = wide(2_000, 20);
    const broad = wide(40, 1_500, 'broad');
    await committed(place, things, [narrow, broad]);
    const { read } = await unknownFields(place);
    expect(read.get('custom 1999')).toEqual(narrow[1_999]);
    expect(read.get('broad 39')).toEqual(broad[39]);
    expect(read.size).toBe(2_040);
  });
});
