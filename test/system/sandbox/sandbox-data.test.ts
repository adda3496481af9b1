import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sandboxTables, startSandbox, type ApiRecord, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../../src/tables/index.ts';

const sizes = {
  incidents: 120,
  incident_updates: 200,
  follow_ups: 150,
  alerts: 130,
  escalations: 90,
  users: 40,
  schedules: 8,
};
const paths = {
  incidents: '/v2/incidents',
  follow_ups: '/v3/follow_ups',
  alerts: '/v2/alerts',
  escalations: '/v2/escalations',
} as const;
const dayMs = 86_400_000;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    limits: 'off',
    sizes,
    now: () => Date.parse('2026-11-20T12:00:00Z'),
  });
  // An account in use: some rows were changed, removed or added.
  for (const table of ['incidents', 'alerts', 'escalations', 'follow_ups'] as const) {
    for (const index of [3, 50, 51]) sandbox.change(table, sandbox.idAt(table, index), { note: 'changed' });
    for (const index of [0, 49, 70]) sandbox.remove(table, sandbox.idAt(table, index));
    sandbox.create(table);
    sandbox.create(table, { created_at: '2025-05-05T05:05:05.055Z' });
    sandbox.create(table);
  }
});
afterAll(async () => sandbox.stop());

async function readAll(path: string, table: string, params: URLSearchParams): Promise<ApiRecord[]> {
  const rows: ApiRecord[] = [];
  for (;;) {
    const response = await fetch(`${sandbox.url}${path}?${params.toString()}`, {
      headers: { Authorization: `Bearer ${sandbox.key}` },
    });
    expect(response.status).toBe(200);
    const body = (await response.json()) as Record<string, ApiRecord[]> & {
      pagination_meta: { after?: string };
    };
    rows.push(...(body[table] ?? []));
    if (body.pagination_meta.after === undefined) return rows;
    params.set('after', body.pagination_meta.after);
  }
}

const idsOf = (rows: readonly ApiRecord[]) => rows.map((row) => String(row['id']));

it('returns exactly the rows that match a filter, each once, at any page size', async () => {
  const all = Object.fromEntries(
    (Object.keys(paths) as (keyof typeof paths)[]).map((table) => [table, [...sandbox.records(table)]]),
  );
  const moment = fc.integer({ min: Date.parse('2023-12-20'), max: Date.parse('2026-11-30') });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<keyof typeof paths>('incidents', 'follow_ups', 'alerts', 'escalations'),
      fc.constantFrom('created_at', 'updated_at'),
      fc.constantFrom('date_range', 'gte', 'lte'),
      fc.tuple(moment, moment).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      fc.integer({ min: 3, max: 50 }),
      fc.boolean(),
      async (table, field, operator, [from, to], pageSize, isOldestFirst) => {
        const isDaily = table === 'incidents' || table === 'escalations';
        const written = (ms: number) => {
          const text = new Date(ms).toISOString();
          return isDaily ? text.slice(0, 10) : text;
        };
        const [start, end] = [Date.parse(written(from)), Date.parse(written(to))];
        const params = new URLSearchParams({ page_size: String(pageSize) });
        if (operator === 'date_range') params.set(`${field}[date_range]`, `${written(from)}~${written(to)}`);
        else params.set(`${field}[${operator}]`, written(operator === 'gte' ? from : to));
        if (table === 'incidents') {
          if (isOldestFirst) params.set('sort_by', 'created_at_oldest_first');
          for (const mode of ['standard', 'retrospective', 'test', 'tutorial'])
            params.append('mode[one_of]', mode);
          params.append('status_category[not_in]', 'declined');
        }

        const expected = (all[table] ?? []).filter((row) => {
          const text = String(row[field]);
          // Date.parse drops the microseconds, which only matters at an inclusive end.
          const ms = Date.parse(text) + (/\.\d{3}\d+Z$/.test(text) ? 0.5 : 0);
          const isLate = ms >= start;
          if (operator === 'gte' && !isLate) return false;
          if (operator === 'lte' && ms > end) return false;
          if (operator === 'date_range' && !(isLate && (isDaily ? ms < end + dayMs : ms < end))) return false;
          return (row['incident_status'] as { category?: string } | undefined)?.category !== 'declined';
        });
        const passes =
          table === 'follow_ups' ? ['standard', 'retrospective', 'test', 'tutorial', 'stream'] : [undefined];
        const found: ApiRecord[] = [];
        for (const mode of passes) {
          const own = new URLSearchParams(params);
          if (mode !== undefined) own.set('incident_mode', mode);
          found.push(...(await readAll(paths[table], table, own)));
        }
        // The passes by mode are read one after another; every other table has one order.
        const inOrder = table === 'incidents' && !isOldestFirst ? expected.toReversed() : expected;
        const arranged = (rows: ApiRecord[]) =>
          table === 'follow_ups'
            ? rows.toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])))
            : rows;
        expect(arranged(found)).toEqual(arranged(inOrder));
      },
    ),
    { numRuns: 60 },
  );
});

it.each(['created_at_newest_first', 'created_at_oldest_first'])(
  'continues after any row, generated or added, with pages of one row (%s)',
  async (order) => {
    const params = new URLSearchParams({
      page_size: '1',
      sort_by: order,
      'status_category[not_in]': 'paused',
    });
    for (const mode of ['standard', 'retrospective', 'test', 'tutorial']) params.append('mode[one_of]', mode);
    const expected = [...sandbox.records('incidents')].filter(
      (row) => (row['incident_status'] as { category: string }).category !== 'paused',
    );
    const found = idsOf(await readAll('/v2/incidents', 'incidents', params));
    const ids = idsOf(expected);
    expect(found).toEqual(order === 'created_at_oldest_first' ? ids : ids.toReversed());
  },
);

it('generates the same account from the same seed, and a different one from another seed', async () => {
  const texts = async (seed: number) => {
    const own = await startSandbox({ seed, sizes });
    const made = sandboxTables.map((table) => JSON.stringify([...own.records(table)]));
    await own.stop();
    return made;
  };
  const first = await texts(7);
  expect(await texts(7)).toEqual(first);
  for (const [index, text] of (await texts(8)).entries()) expect(text).not.toBe(first[index]);
});

it('refers only to rows that exist', () => {
  const ids = (table: (typeof sandboxTables)[number]) => new Set(idsOf([...sandbox.records(table)]));
  const known = {
    incident_status: ids('incident_statuses'),
    severity: ids('severities'),
    incident_type: ids('incident_types'),
    user: ids('users'),
    assignee: ids('users'),
    role: ids('incident_roles'),
    custom_field: ids('custom_fields'),
    new_incident_status: ids('incident_statuses'),
    new_severity: ids('severities'),
    assignee_team: ids('teams'),
  };
  const removed = [0, 49, 70].map((index) => sandbox.idAt('incidents', index));
  const knownIds = {
    incident_id: new Set([...ids('incidents'), ...removed]),
    alert_source_id: ids('alert_sources'),
    escalation_path_id: ids('escalation_paths'),
  };
  const strangers: string[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) look(item);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value as Record<string, unknown>)) {
        const id = (inner as { id?: string } | null)?.id;
        const set = known[name as keyof typeof known] as Set<string> | undefined;
        if (set !== undefined && id !== undefined && !set.has(id)) strangers.push(`${name} ${id}`);
        const ofColumn = knownIds[name as keyof typeof knownIds] as Set<string> | undefined;
        if (ofColumn !== undefined && typeof inner === 'string' && !ofColumn.has(inner))
          strangers.push(`${name} ${inner}`);
        look(inner);
      }
    }
  };
  for (const table of sandboxTables) for (const row of sandbox.records(table)) look(row);
  expect(strangers).toEqual([]);
});

it('writes times with none to six fraction digits, and no updated_at before created_at', () => {
  const digits = new Set<number>();
  for (const table of Object.keys(paths) as (keyof typeof paths)[]) {
    for (const row of sandbox.records(table)) {
      const [created, updated] = [String(row['created_at']), String(row['updated_at'])];
      expect(Date.parse(updated)).toBeGreaterThanOrEqual(Date.parse(created));
      for (const text of [created, updated]) digits.add(/\.(\d+)Z$/.exec(text)?.[1]?.length ?? 0);
    }
  }
  expect([...digits]).toEqual(expect.arrayContaining([0, 1, 2, 3, 6]));
});

it('serves an account on its first day', async () => {
  const none = {
    incidents: 0,
    incident_updates: 0,
    follow_ups: 0,
    alerts: 0,
    escalations: 0,
    users: 0,
    schedules: 0,
  };
  const empty = await startSandbox({ sizes: none });
  expect([...empty.records('incidents')]).toEqual([]);
  expect([...empty.records('severities')].length).toBeGreaterThan(0);
  const made = empty.create('incidents', { name: 'The first' });
  expect([...empty.records('incidents')]).toEqual([made]);
  await empty.stop();
  await expect(startSandbox({ sizes: { ...none, follow_ups: 1 } })).rejects.toThrow(RangeError);
});

it('has every field that the API reference requires, or runs would report fields as missing', () => {
  const lacking = sandboxTables.flatMap((table) =>
    Object.entries(tableNamed(table).columns).flatMap(([name, { required }]) =>
      required && [...sandbox.records(table)].some((record) => (record[name] ?? null) === null)
        ? [`${table}.${name}`]
        : [],
    ),
  );
  expect(lacking).toEqual([]);
});
