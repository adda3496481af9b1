import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../src/incident-io/client.ts';
import { readPage } from '../src/incident-io/pages.ts';
import { openWindows, splitWindow } from '../src/incident-io/windows.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { tableNamed } from '../src/tables/index.ts';

const call = { signal: new AbortController().signal };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ limits: 'off', sizes: { alerts: 20_000, escalations: 6_000 } });
});
afterAll(() => sandbox.stop());

async function idsOf(
  table: ReturnType<typeof tableNamed>,
  params: Parameters<typeof readPage>[2],
): Promise<string[]> {
  const client = createClient({ apiKey: sandbox.key, baseUrl: sandbox.url });
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await readPage(client, table, params, after, call);
    ids.push(...page.records.map(({ id }) => id as string));
    after = page.after;
  } while (after !== undefined);
  return ids;
}

describe.each(['alerts', 'escalations'] as const)('%s cut into windows', (name) => {
  const table = tableNamed(name);

  it('are all in some window, those created meanwhile too, and spread evenly enough', async () => {
    const client = createClient({ apiKey: sandbox.key, baseUrl: sandbox.url });
    const [whole] = openWindows(table, [], undefined);
    const { windows } = await splitWindow(client, table, whole!, 1, Date.now(), call);
    expect(windows.length).toBeGreaterThan(4);
    expect(new Set(windows.map(({ id }) => id)).size).toBe(windows.length);
    sandbox.create(name);

    const read: string[][] = [];
    for (const window of windows) read.push(await idsOf(table, window));
    const all = [...sandbox.records(name)].map(({ id }) => id as string);
    expect(new Set(read.flat())).toEqual(new Set(all));
    // A window of half of all rows would leave one cursor reading alone at the end.
    const largest = Math.max(...read.map((ids) => ids.length));
    expect(largest).toBeLessThan((3 * all.length) / windows.length);
  });

  it('are read whole, with a reason, when the endpoint refuses the filter', async () => {
    const restore = sandbox.fault({
      when: ({ params }) => params.has('created_at[lte]'),
      fault: { kind: 'error', status: 422 },
    });
    const client = createClient({ apiKey: sandbox.key, baseUrl: sandbox.url });
    const [whole] = openWindows(table, [], undefined);
    const split = await splitWindow(client, table, whole!, 1, Date.now(), call);
    restore();
    expect(split.windows).toEqual([]);
    expect(split.refused?.message).toContain('422');
  });
});
