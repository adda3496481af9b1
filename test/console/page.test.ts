import { describe, expect, it } from 'vitest';
import { seriesOf } from '../../console/chart/chart-data.ts';
import { relative, span } from '../../console/format/times.ts';
import { added, without } from '../../console/link/choose.ts';
import { offeredTables } from '../../src/console/link/offered-tables.ts';

describe('how the page handles answers, without a browser', () => {
  it('choosing a table adds its parent, and removing the parent removes it', () => {
    const { groups } = offeredTables();
    const chosen = added({}, groups, ['schedule_entries', 'users']);
    expect(Object.keys(chosen).sort()).toEqual(['schedule_entries', 'schedules', 'users']);
    expect(Object.keys(without(chosen, groups, ['schedules']))).toEqual(['users']);
  });

  it('figures find their place when rows are missing, out of order, or sent as text', () => {
    const columns = ['month', 'severity', 'count'].map((name) => ({ name, type: 'VARCHAR' }));
    const rows = [
      ['2026-10-01', 'Major', '12.5'],
      ['2026-11-01', 'Minor', 2],
      ['2026-10-01', null, 3],
    ];
    expect(seriesOf({ columns, rows }, { x: 'month', y: 'count', series: 'severity' })).toEqual({
      labels: ['2026-10', '2026-11'],
      series: [
        { name: 'Major', values: [12.5, null] },
        { name: 'Minor', values: [null, 2] },
        { name: 'none', values: [3, null] },
      ],
    });
  });

  it('whole numbers on the x axis are sorted: hours of a day come in the order of the rows', () => {
    const columns = ['person', 'hour', 'pages'].map((name) => ({ name, type: 'BIGINT' }));
    const rows = [
      ['Ada', 16, 1],
      ['Ada', 8, 2],
      ['Bo', 9, 3],
    ];
    expect(seriesOf({ columns, rows }, { x: 'hour', y: 'pages', series: 'person' }).labels).toEqual([
      '8',
      '9',
      '16',
    ]);
  });

  it('times are as precise as people need, in the past and in the future', () => {
    const now = Date.parse('2026-11-29T01:00:00Z');
    expect(relative('2026-11-29T00:58:15Z', now)).toBe('2 min ago');
    expect(relative('2026-11-29T01:00:45Z', now)).toBe('in 45 s');
    expect([0.25, 89, 5_400, 172_800].map(span)).toEqual(['0.3 s', '89 s', '2 h', '2 d']);
  });
});
