import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../../src/incident-io/client.ts';
import { type Reader, readPage, type Slice } from '../../../src/incident-io/pages.ts';
import { splitWindow } from '../../../src/incident-io/split-window.ts';
import { openWindows } from '../../../src/incident-io/windows.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import type { Table } from '../../../src/tables/table.ts';

/** Few rows make many pages, so that a window of the test's account is worth cutting. */
const smallPages = { kind: 'pages', pageSize: 5 } as const;
/** When the sandbox's data ends. */
const end = Date.parse('2026-11-01T00:00:00Z');
const call = { signal: new AbortController().signal };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ limits: 'off', sizes: { alerts: 20_000, escalations: 6_000 } });
});
afterAll(() => sandbox.stop());

function readerOf(table: Table): Reader {
  return { client: createClient({ apiKey: sandbox.key, baseUrl: sandbox.url }), table, call };
}

async function idsOf(reader: Reader, slice: Slice): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await readPage(reader, slice, after);
    ids.push(...page.records.map(({ id }) => id as string));
    after = page.after;
  } while (after !== undefined);
  return ids;
}

describe.each(['alerts', 'escalations'] as const)('%s cut into windows', (name) => {
  const table = tableNamed(name);

  it('are all in some window, even those created meanwhile, and spread evenly enough', async () => {
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await splitWindow(readerOf(table), whole!, Date.now());
    expect(windows.length).toBeGreaterThan(4);
    sandbox.create(name);

    const read: string[][] = [];
    for (const window of windows) read.push(await idsOf(readerOf(table), window));
    const all = [...sandbox.records(name)].map(({ id }) => id as string);
    expect(new Set(read.flat())).toEqual(new Set(all));
    // A window with half of all rows would leave one cursor reading alone at the end.
    const largest = Math.max(...read.map((ids) => ids.length));
    expect(largest).toBeLessThan((3 * all.length) / windows.length);
  });

  it('are cut again if a window is dense, with no gap between the pieces or at their ends', async () => {
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await splitWindow(readerOf(table), whole!, end);
    const middle = windows[4]!;
    const { from: _from, ...upToMiddle } = middle;
    const [, range] = middle.params.find(([name]) => name === 'created_at[date_range]')!;
    const openAtItsStart = {
      ...upToMiddle,
      params: [['created_at[lte]', range.split('~')[1]!] as const],
    };
    for (const window of [openAtItsStart, middle, windows.at(-1)!]) {
      const dense = { ...window, id: 1 };
      const again = await splitWindow(readerOf({ ...table, paging: smallPages }), dense, end);
      expect(again.windows.length).toBeGreaterThan(1);
      expect(again.windows.length).toBeLessThanOrEqual(8);
      expect([again.windows[0]!.from, again.windows.at(-1)!.to]).toEqual([
        'from' in window ? window.from : undefined,
        window.to,
      ]);
      const pieces: string[] = [];
      for (const piece of again.windows) pieces.push(...(await idsOf(readerOf(table), piece)));
      const read = new Set(pieces);
      expect((await idsOf(readerOf(table), window)).filter((id) => !read.has(id))).toEqual([]);
    }
  });

  it('are cut even if half of the answers for the estimate fail', async () => {
    const restore = sandbox.fault({
      when: ({ params }) => params.has('created_at[date_range]'),
      fraction: 0.5,
      fault: { kind: 'error', status: 503 },
    });
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await splitWindow(readerOf(table), whole!, Date.now());
    restore();
    expect(windows.length).toBeGreaterThan(4);
  });

  it('are read in one window, with a reason, if the endpoint refuses the filter', async () => {
    const restore = sandbox.fault({
      when: ({ params }) => params.has('created_at[lte]'),
      fault: { kind: 'error', status: 422 },
    });
    const [whole] = openWindows(table, [], undefined);
    const split = await splitWindow(readerOf(table), whole!, Date.now());
    restore();
    expect(split.windows).toEqual([]);
    expect(split.refused?.message).toContain('422');
  });
});
