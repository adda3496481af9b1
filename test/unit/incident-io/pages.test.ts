import { describe, expect, it } from 'vitest';
import { ApiUnavailableError, UnexpectedResponseError } from '../../../src/errors.ts';
import { createClient } from '../../../src/incident-io/client.ts';
import { readObject } from '../../../src/incident-io/json-answers.ts';
import { readLines, readPage } from '../../../src/incident-io/pages.ts';
import { readReveals } from '../../../src/incident-io/reveals.ts';
import { AnswerRows } from '../../../src/records/answer-rows.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { apiReplying, type Reply } from '../../helpers/api.ts';

const call = { signal: new AbortController().signal };

async function readerOf(table: string, ...replies: Reply[]) {
  const { baseUrl, asked } = await apiReplying(...replies);
  return { client: createClient({ apiKey: 'key', baseUrl }), table: tableNamed(table), call, asked };
}

describe('a page', () => {
  it.each<[string, Reply, new (...args: never[]) => Error]>([
    ['HTML', { text: '<html>Bad gateway</html>' }, ApiUnavailableError],
    ['JSON that was cut off', { text: '{"alerts":[{"id":"1"' }, ApiUnavailableError],
    ['JSON that is not an object', { text: '[]' }, UnexpectedResponseError],
    ['an object without the records', { body: { other: [] } }, UnexpectedResponseError],
    [
      'a cursor that is not text',
      { body: { alerts: [], pagination_meta: { after: 5 } } },
      UnexpectedResponseError,
    ],
  ])('cannot be %s, however it is read', async (_, reply, expected) => {
    const reader = await readerOf('alerts', reply);
    const rows = new AnswerRows(reader.table);
    await expect(readPage(reader, { params: [] }, undefined)).rejects.toBeInstanceOf(expected);
    await expect(readLines(reader, { params: [] }, undefined, rows, 0)).rejects.toBeInstanceOf(expected);
  });

  it('of a list that has always come whole may be followed by another', async () => {
    const reader = await readerOf(
      'severities',
      { body: { severities: [{ id: '1' }], pagination_meta: { after: '1' } } },
      { body: { severities: [{ id: '2' }] } },
    );
    const first = await readPage(reader, { params: [] }, undefined);
    expect(first.after).toBe('1');
    expect((await readPage(reader, { params: [] }, first.after)).after).toBeUndefined();
    expect(reader.asked).toEqual(['/v1/severities', '/v1/severities?after=1']);
  });

  it('says how many records match, if the endpoint does', async () => {
    const total = async (meta: object | undefined) => {
      const reader = await readerOf('schedules', { body: { schedules: [], pagination_meta: meta } });
      return (await readPage(reader, { params: [] }, undefined, 1)).total;
    };
    expect(await total({ total_record_count: 7 })).toBe(7);
    expect(await total({ total_record_count: '7' })).toBeUndefined();
    expect(await total(undefined)).toBeUndefined();
  });
});

it('reads an object and the API’s clock, and refuses anything else', async () => {
  const date = 'Mon, 24 Nov 2025 10:00:00 GMT';
  const { client } = await readerOf('alerts', { body: { a: 1 }, headers: { date } });
  expect(await readObject(client, '/v1/identity', call)).toEqual({
    body: { a: 1 },
    answeredAt: Date.parse(date),
  });
  const list = await readerOf('alerts', { body: [], headers: { date } });
  await expect(readObject(list.client, '/v1/identity', call)).rejects.toMatchObject({
    name: 'UnexpectedResponseError',
    facts: { status: 200, answeredAt: Date.parse(date) },
  });
});

it('asks for a status category that the vendor adds, and not for a status without one', async () => {
  const reader = await readerOf('incidents', {
    body: { incident_statuses: [{ id: '1' }, { id: '2', category: null }, { id: '3', category: 'new' }] },
  });
  const { params } = await readReveals(reader, undefined);
  const values = params.map(([, value]) => value);
  expect(values).toContain('new');
  expect(values.filter((value) => value === 'undefined' || value === 'null')).toEqual([]);
});
