import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../../src/incident-io/client.ts';
import { type Reader, readPage } from '../../../src/incident-io/pages.ts';
import { splitWindow } from '../../../src/incident-io/split-window.ts';
import { type NewWindow, openWindows, type Window } from '../../../src/incident-io/windows.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import type { Table } from '../../../src/tables/table.ts';

/** Few rows make many pages, so that a window of the test's account is worth cutting. */
const smallPages = { kind: 'pages', pageSize: 5 } as const;
/** When the sandbox's data ends. */
const end = Date.parse('2026-11-01T00:00:00Z');
const call = { signal: new AbortController().signal };
// The requests of an estimate listen to it side by side.
setMaxListeners(0, call.signal);
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ limits: 'off', sizes: { alerts: 20_000, escalations: 6_000 } });
});
afterAll(() => sandbox.stop());

function readerOf(table: Table): Reader {
  return { client: createClient({ apiKey: sandbox.key, baseUrl: sandbox.url }), table, call };
}

/** Reads a window as a run does: from its beginning to the page that holds a row which another one begins after. */
async function idsOf(reader: Reader, window: NewWindow): Promise<string[]> {
  const ids: string[] = [];
  let after = window.behind;
  for (;;) {
    const page = await readPage(reader, window, after);
    const read = page.records.map(({ id }) => id as string);
    ids.push(...read);
    after = page.after;
    if (after === undefined || read.some((id) => window.until?.includes(id))) return ids;
  }
}

/** Reads the first page of a list and cuts the rest. */
async function cut(reader: Reader, window: Window, now: number) {
  const page = await readPage(reader, window, window.behind);
  const read = page.records.map(({ id }) => id as string);
  const times = page.records.map(({ created_at: at }) => Date.parse(String(at)));
  const [first, last] = [times[0]!, times.at(-1)!];
  // As in a batch: a page without times at its ends is not a place to cut.
  if (Number.isNaN(first + last)) return { read, windows: [] };
  return { read, ...(await splitWindow(reader, window, { after: page.after!, first, last }, now)) };
}

describe.each(['alerts', 'escalations'] as const)('%s cut into windows', (name) => {
  const table = tableNamed(name);

  it('are all in some window, even those created meanwhile, and spread evenly enough', async () => {
    const reader = readerOf(table);
    const [whole] = openWindows(table, [], undefined);
    const { read: first, windows } = await cut(reader, whole!, Date.now());
    expect(windows.length).toBeGreaterThan(4);

    const read = [first];
    for (const window of windows) read.push(await idsOf(reader, window));
    const all = [...sandbox.records(name)].map(({ id }) => id as string);
    expect(new Set(read.flat())).toEqual(new Set(all));
    // A window with half of all rows would leave one cursor reading alone at the end.
    const largest = Math.max(...read.map((ids) => ids.length));
    expect(largest).toBeLessThan((3 * all.length) / windows.length);
  });

  it('are cut again if a window is dense, with no gap between the pieces or at their ends', async () => {
    const reader = readerOf(table);
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await cut(reader, whole!, end);
    for (const window of [windows[0]!, windows[4]!, windows.at(-1)!]) {
      const page = await idsOf(reader, window);
      // The page that ends a window holds rows of the next one too.
      const last = page.findIndex((id) => window.until?.includes(id));
      const expected = last === -1 ? page : page.slice(0, last + 1);
      const dense = readerOf({ ...table, paging: smallPages });
      const again = await cut(dense, { ...window, id: 1 }, end);
      expect(again.windows.length).toBeGreaterThan(1);
      expect(again.windows.length).toBeLessThanOrEqual(9);
      const read = new Set(again.read);
      for (const piece of again.windows) for (const id of await idsOf(reader, piece)) read.add(id);
      expect(expected.filter((id) => !read.has(id))).toEqual([]);
    }
  });

  it('are cut even if half of the answers for the estimate fail', async () => {
    const restore = sandbox.fault({
      when: ({ params }) => params.has('created_at[date_range]'),
      fraction: 0.5,
      fault: { kind: 'error', status: 503 },
    });
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await cut(readerOf(table), whole!, Date.now());
    restore();
    expect(windows.length).toBeGreaterThan(2);
  });

  it('are read in one window, with a reason, if the endpoint refuses the filter', async () => {
    const restore = sandbox.fault({
      when: ({ params }) => params.has('created_at[date_range]'),
      fault: { kind: 'error', status: 422 },
    });
    const [whole] = openWindows(table, [], undefined);
    const split = await cut(readerOf(table), whole!, Date.now());
    restore();
    expect(split.windows).toEqual([]);
    expect(split.refused?.message).toContain('422');
  });
});

type Row = { readonly id: string; readonly created_at?: string };

/** A list in any order, some of whose rows have no time: those no filter matches. */
async function listOf(rows: readonly Row[]): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://list');
    const [from = '', to = ''] = searchParams.get('created_at[date_range]')?.split('~') ?? [];
    const most = searchParams.get('created_at[lte]') ?? to;
    const isIn = ({ created_at: at }: Row) => at !== undefined && at >= from && at <= most;
    const found = most === '' ? rows : rows.filter(isIn);
    const after = searchParams.get('after');
    const start = after === null ? 0 : found.findIndex(({ id }) => id === after) + 1;
    const page = found.slice(start, start + Number(searchParams.get('page_size')));
    const meta = start + page.length < found.length ? { after: page.at(-1)!.id } : {};
    response.end(JSON.stringify({ alerts: page, pagination_meta: meta }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

it('is the whole list, in any order, with the rows that no filter by time matches', async () => {
  const table: Table = { ...tableNamed('alerts'), paging: smallPages };
  const [whole] = openWindows(table, [], undefined);
  let wereCut = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 600, max: 1_500 }),
      fc.constantFrom('newest first', 'oldest first', 'shuffled'),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.constantFrom(0, 0.01, 0.3),
      async (size, order, chance, undated) => {
        const next = () => chance.next().value as number;
        const rows = Array.from({ length: size }, (_, number): Row => {
          const created_at = new Date(end - (number + 1) * 3_600_000).toISOString();
          return { id: `alert-${number}`, ...(next() >= undated && { created_at }) };
        });
        if (order === 'oldest first') rows.reverse();
        if (order === 'shuffled') rows.sort(() => next() - 0.5);
        const list = await listOf(rows);
        const client = createClient({ apiKey: 'a-key', baseUrl: list.url });
        const reader = { client, table, call };
        const first = await cut(reader, whole!, end);
        const read = new Set(first.read);
        // Nothing was cut: the cursor continues to the end.
        const pieces = first.windows.length > 0 ? first.windows : [{ ...whole!, behind: first.read.at(-1)! }];
        wereCut += Math.sign(first.windows.length);
        for (const window of pieces) for (const id of await idsOf(reader, window)) read.add(id);
        list.close();
        expect(read.size).toBe(rows.length);
      },
    ),
    { numRuns: 30 },
  );
  expect(wereCut).toBeGreaterThan(0);
}, 120_000);
