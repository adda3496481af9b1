import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { statusAsJson } from '../../../../src/cli/commands/status/as-json.ts';
import { outcomeAsJson } from '../../../../src/cli/terminal/run-as-json.ts';
import { printJson } from '../../../../src/cli/terminal/output.ts';
import type { TableStatus } from '../../../../src/connections/status/table-status.ts';
import type { SyncTableResult } from '../../../../workflows/contract.ts';

/** A value as a command prints it. */
function printed(value: unknown): unknown {
  let text = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  printJson(output, value);
  return JSON.parse(text);
}

const result: SyncTableResult = {
  table: 'users',
  fullRead: true,
  reason: 'full refresh',
  version: 3,
  rows: 20,
  changes: { rowsBefore: 19, inserted: 1, updated: 2, dropped: 0, bytesWritten: 4, columnsAdded: [] },
  watermark: Date.parse('2026-11-28T21:31:38Z'),
  read: { rows: 20, pages: 1, requests: 1, bytes: 7, waitedMs: 1_500, batches: 1 },
  seconds: 2.5,
  queuedSeconds: 1.5,
  notes: ['a note'],
};

const figures = {
  outcome: 'synced',
  full_read: true,
  version: 3,
  rows: 20,
  inserted: 1,
  rows_read: 20,
  limit_wait_seconds: 1.5,
  queued_seconds: 1.5,
  watermark: '2026-11-28T21:31:38.000Z',
  notes: ['a note'],
};

/** Every name of a field in a value, at every depth. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
}

const status: TableStatus = {
  table: 'users',
  syncMethod: 'full_refresh',
  every: '6h',
  schedule: 'active',
  buffered: false,
  lagSeconds: 12,
  nextRun: '2026-11-29T00:38:41.000Z',
  running: { workflowId: 'w', started: '2026-11-28T22:00:00.000Z', phase: 'reading', workerAnswers: true },
  lastRun: { workflowId: 'w', started: '2026-11-28T21:31:37.034Z', outcome: 'synced', result },
};

describe('JSON output', () => {
  it('has a run in the same shape in every command that prints it', () => {
    expect(printed(outcomeAsJson({ table: 'users', status: 'synced', result }))).toMatchObject({
      table: 'users',
      ...figures,
    });
    expect(printed(statusAsJson(status))).toMatchObject({ last_run: figures });
  });

  it('has a failure as three fields on the object that failed, in runs and in tables', () => {
    const failure = { error: 'PermissionError', message: 'lacks a scope', advice: 'grant it' };
    expect(printed(outcomeAsJson({ table: 'users', status: 'failed', ...failure }))).toEqual({
      table: 'users',
      outcome: 'failed',
      ...failure,
    });
    const lastRun = {
      workflowId: 'w',
      started: '2026-11-28T21:31:37.034Z',
      outcome: 'failed',
      failure,
    } as const;
    expect(printed(statusAsJson({ ...status, lastRun }))).toMatchObject({
      state: 'failing',
      ...failure,
      last_run: { outcome: 'failed', ...failure },
    });
  });

  it('says that a list is not available, and since when, instead of meaningless figures', () => {
    const unavailable = {
      error: 'TableUnavailableError',
      message: 'no list',
      advice: 'wait',
      since: Date.parse('2026-11-28T00:00:00Z'),
    };
    const run = printed(
      outcomeAsJson({ table: 'users', status: 'synced', result: { ...result, unavailable } }),
    );
    expect(run).toMatchObject({
      outcome: 'not_available',
      not_available_since: '2026-11-28T00:00:00.000Z',
      error: 'TableUnavailableError',
    });
    expect(run).not.toHaveProperty('rows');
  });

  it('has no camelCase, and no times as numbers', () => {
    const text = JSON.stringify(printed(statusAsJson(status)));
    expect(namesIn(JSON.parse(text)).filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
    expect(text).not.toMatch(/\d{12}/);
  });
});
