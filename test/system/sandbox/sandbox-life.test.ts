import { expect, it, onTestFinished } from 'vitest';
import { type Happening, lifeOf, type LifeKind } from '../../../src/sandbox/life.ts';
import {
  type Sandbox,
  type SandboxOptions,
  sandboxTables,
  startSandbox,
} from '../../../src/sandbox/sandbox.ts';

const sizes = {
  incidents: 40,
  incident_updates: 40,
  follow_ups: 40,
  alerts: 40,
  escalations: 40,
  users: 20,
  schedules: 5,
};

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ limits: 'off', sizes, ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

const ask = async (sandbox: Sandbox, path: string) => {
  const response = await fetch(sandbox.url + path, { headers: { authorization: `Bearer ${sandbox.key}` } });
  return (await response.json()) as { [table: string]: { id: string }[] };
};

/** Everything in the account after this many requests, and what happened in between. */
async function lived(seed: number, requests: number) {
  let now = Date.parse('2026-11-20T00:00:00Z');
  const sandbox = await start({ now: () => now });
  const happened: (Happening & { readonly at: number; readonly before: unknown })[] = [];
  const stamps = new Map(
    sandboxTables.flatMap((table) =>
      [...sandbox.records(table)].map((record) => [record['id'], record['updated_at']] as const),
    ),
  );
  const step = lifeOf(sandbox, {
    seed,
    onStep: (happening) => {
      happened.push({ ...happening, at: now, before: stamps.get(happening.id) });
      stamps.set(happening.id, happening.record?.['updated_at']);
    },
  });
  sandbox.beforeAnswer = () => {
    now += 10_000;
    step();
  };
  for (let asked = 0; asked < requests; asked += 1) await ask(sandbox, '/v1/severities');
  return { happened, records: sandboxTables.map((table) => [...sandbox.records(table)]) };
}

it('lives the same life for the same seed and requests, and a different one for another seed', async () => {
  const first = await lived(3, 60);
  expect(first.happened.length).toBeGreaterThan(40);
  expect(await lived(3, 60)).toEqual(first);
  expect((await lived(4, 60)).happened).not.toEqual(first.happened);
});

it('stamps late commits up to four minutes back, no row before its last stamp, and silent changes not at all', async () => {
  const { happened } = await lived(1, 300);
  const stamped = happened.flatMap(({ kind, at, before, record }) => {
    const stamp = record?.['updated_at'];
    if (typeof stamp !== 'string') return [];
    return [
      { kind, stamp, before: typeof before === 'string' ? before : stamp, lateMs: at - Date.parse(stamp) },
    ];
  });
  const silent = stamped.filter(({ kind }) => kind === 'silent');
  expect(silent.map(({ stamp }) => stamp)).toEqual(silent.map(({ before }) => before));
  expect(stamped.filter(({ stamp, before }) => Date.parse(stamp) < Date.parse(before))).toEqual([]);
  const lateness = new Map<LifeKind, number>();
  for (const { kind, lateMs } of stamped) lateness.set(kind, Math.max(lateness.get(kind) ?? 0, lateMs));
  expect(lateness.get('change')).toBe(0);
  expect(lateness.get('create')).toBe(0);
  for (const kind of ['late-change', 'late-create'] as const) {
    expect(lateness.get(kind)).toBeGreaterThan(60_000);
    expect(lateness.get(kind)).toBeLessThanOrEqual(4 * 60_000);
  }
  expect(new Set(happened.map(({ kind }) => kind)).size).toBe(8);
});

it('reads bare dates in the time zone that the readings give', async () => {
  const counts = await Promise.all(
    ['Z', '+14:00', '-12:00'].map(async (dateZone) => {
      const sandbox = await start({ readings: { dateZone } });
      for (let hour = 0; hour < 24; hour += 1) {
        sandbox.create('escalations', {
          created_at: `2026-11-10T${String(hour).padStart(2, '0')}:30:00Z`,
          updated_at: '2027-01-01T00:00:00Z',
        });
      }
      const day = '2026-11-10';
      const { escalations } = await ask(
        sandbox,
        `/v2/escalations?page_size=50&created_at[date_range]=${day}~${day}`,
      );
      return escalations!.length;
    }),
  );
  expect(counts).toEqual([24, 10, 12]);
});

it('lists newest first if the readings say so, but only where no order is documented', async () => {
  const orders = await Promise.all(
    (['oldest', 'newest'] as const).map(async (order) => {
      const sandbox = await start({ readings: { order } });
      const ids = async (table: string, path: string) =>
        (await ask(sandbox, path))[table]!.map(({ id }) => id);
      return {
        alerts: await ids('alerts', '/v2/alerts?page_size=50'),
        followUps: await ids('follow_ups', '/v3/follow_ups?page_size=50'),
      };
    }),
  );
  expect(orders[1]!.alerts).toEqual(orders[0]!.alerts.toReversed());
  expect(orders[1]!.followUps).toEqual(orders[0]!.followUps);
});
