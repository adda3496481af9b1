import { stringify } from 'lossless-json';
import type { JsonLines } from '../../src/records/answer.ts';
import { AnswerRows } from '../../src/records/answer-rows.ts';
import { type Column, defineTable, type Table } from '../../src/tables/table.ts';
import type { CommitRequest } from '../../src/warehouse/warehouse.ts';

/** A table with a column of every type. */
export const things = thingsWith({});

export function thingsWith(columns: { readonly [name: string]: Column }): Table {
  return defineTable({
    name: 'things',
    description: 'One row is a thing.',
    group: 'Incidents',
    path: '/v1/things',
    records: 'things',
    scope: 'things.view',
    paging: { kind: 'pages', pageSize: 250 },
    filters: { updated_at: { granularity: 'millisecond', verified: true } },
    incremental: { by: ['updated_at'], fullReadEvery: '24h' },
    primaryKey: ['id'],
    columns: {
      id: { type: 'text', description: 'Id of the thing.' },
      name: { type: 'text', description: 'Its name.' },
      owner_id: { type: 'text', description: 'Who owns it.', from: ['owner', 'id'] },
      owner: { type: 'json', description: 'Who owns it, whole.' },
      tags: { type: 'json', description: 'Its tags.' },
      rank: { type: 'bigint', description: 'Its rank.' },
      minutes: { type: 'double', description: 'Its minutes.' },
      active: { type: 'boolean', description: 'Whether it is active.' },
      updated_at: { type: 'timestamp', description: 'When it last changed.' },
      ...columns,
    },
  });
}

/** A table whose key has two columns. */
export const steps: Table = {
  name: 'steps',
  description: 'One row is a step of a thing.',
  group: 'Configuration',
  path: '/v1/steps',
  records: 'steps',
  paging: { kind: 'pages', pageSize: 250 },
  primaryKey: ['thing_id', 'number'],
  columns: {
    thing_id: { type: 'text', description: 'Whose step it is.' },
    number: { type: 'bigint', description: 'Its place among the steps of the thing.' },
    name: { type: 'text', description: 'Its name.' },
    updated_at: { type: 'timestamp', description: 'When it last changed.' },
  },
};

/** The state that a run commits with its rows. */
export const state: CommitRequest['state'] = {
  watermark: 1_700_000_000_000,
  account: 'https://app.incident.example/acme',
  incrementalField: 'updated_at',
  filters: '[]',
  visibility: '{"roles":[],"teams":[]}',
};

/** The rows that an answer with these records makes, as a part writer takes them. */
export function linesOf(table: Table, records: readonly unknown[], pass?: string): JsonLines {
  const answer = Buffer.from(stringify({ [table.records]: records })!);
  return new AnswerRows(table).read(answer, pass, 0).lines!;
}
