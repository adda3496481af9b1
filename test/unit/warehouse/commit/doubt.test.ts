import { describe, expect, it } from 'vitest';
import { doubtOf } from '../../../../src/warehouse/commit/doubt.ts';

const first = { fullRead: true, question: {} };
const merged = (rowsBefore: number, dropped: number, added = 0) => ({
  rowsBefore,
  dropped,
  rows: rowsBefore - dropped + added,
});

describe('a full read is checked by a second reading', () => {
  it.each([
    ['all rows of a small table', 3, 3],
    ['one row of nine', 9, 1],
    ['more than a tenth', 1_000, 101],
    ['more than a thousand rows, though hardly any share', 1_000_000, 1_001],
  ])('if it would drop %s', (_, rowsBefore, dropped) => {
    expect(doubtOf(merged(rowsBefore, dropped), first, true)).toMatchObject({ status: 'doubtful', dropped });
  });

  it.each([
    ['drops nothing', 1_000, 0],
    ['drops a tenth', 1_000, 100],
    ['drops a thousand of many', 1_000_000, 1_000],
  ])('but not if it %s', (_, rowsBefore, dropped) => {
    expect(doubtOf(merged(rowsBefore, dropped), first, true)).toBeUndefined();
  });

  it('if the API itself counts more rows than it listed, however few would be dropped', () => {
    const request = { ...first, total: 10_000 };
    expect(doubtOf(merged(10_000, 1), request, true)).toMatchObject({ status: 'doubtful' });
    // A count that did not agree before, when nothing was wrong, proves nothing now.
    expect(doubtOf(merged(10_000, 1), request, false)).toBeUndefined();
    // Neither do rows that the API has always counted without listing them.
    expect(doubtOf(merged(10_000, 1), { ...first, total: 10_002 }, true, 3)).toBeUndefined();
    // A row that was deleted while the list was read makes the count the smaller one.
    expect(doubtOf(merged(10_000, 1), { ...first, total: 9_998 }, true)).toBeUndefined();
  });

  it('and is trusted if the second reading saw none of the rows either', () => {
    const second = { fullRead: true, question: { droppedAtFirst: 10 } };
    expect(doubtOf(merged(12, 10), second, true)).toBeUndefined();
    // The second reading saw some of the rows that the first one missed, and misses others.
    expect(doubtOf(merged(12, 7), second, true)).toMatchObject({ status: 'doubtful', dropped: 7 });
    // It saw nearly all of them: the rest is a drop like any other.
    expect(
      doubtOf(merged(120, 1), { fullRead: true, question: { droppedAtFirst: 70 } }, true),
    ).toBeUndefined();
  });

  it('but is never trusted against the API’s own count', () => {
    const second = { fullRead: true, question: { droppedAtFirst: 10 }, total: 12 };
    expect(doubtOf(merged(12, 10), second, true)).toMatchObject({ status: 'doubtful' });
  });
});

it('but not an incremental commit, nor one from a workflow that would not read again', () => {
  expect(doubtOf(merged(10, 10), { fullRead: false, question: {} }, true)).toBeUndefined();
  expect(doubtOf(merged(10, 10), { fullRead: true }, true)).toBeUndefined();
});
