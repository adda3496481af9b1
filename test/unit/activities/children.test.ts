import { expect, it, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';
import type { Table } from '../../../src/tables/table.ts';
import { runTable, wrongRows } from '../../helpers/run-table.ts';
import { openPlace } from '../../helpers/warehouse.ts';

const sizes = {
  incidents: 60,
  alerts: 40,
  users: 20,
  schedules: 5,
  incident_updates: 10,
  follow_ups: 5,
  escalations: 5,
};

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ sizes, limits: 'off', ...options });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}

const children = tables.filter(({ parent }) => parent);
/** Parents come before their children. */
const ancestorsOf = (table: Table): Table[] => {
  if (!table.parent) return [];
  const parent = tableNamed(table.parent.table);
  return [...ancestorsOf(parent), parent];
};

it.each(children.map(({ name }) => name))('%s equals the account, row for row', async (name) => {
  const sandbox = await start();
  const place = await openPlace();
  const table = tableNamed(name);
  for (const ancestor of ancestorsOf(table)) await runTable(place, sandbox, ancestor);
  const { outcome, plan } = await runTable(place, sandbox, table);
  expect(outcome.status).toBe('committed');
  expect(plan.fullRead).toBe(true);
  expect(await wrongRows(place, sandbox, table)).toEqual([]);
  expect([...sandbox.records(name)].length).toBeGreaterThan(0);
});
