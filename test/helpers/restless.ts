import { onTestFinished } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import type { Sizes } from '../../src/sandbox/data/source.ts';
import { startCommand } from './command.ts';
import { link } from './linked.ts';
import type { TestTemporal } from './temporal.ts';

/** How many kills: a few in every test run, 200 in `npm run torture`. */
export const kills = Number(process.env['TORTURE_KILLS'] ?? 3);
/** The seed of the moments when workers are killed. Test names show it. */
export const seed = Number(process.env['TORTURE_SEED'] ?? Date.now() % 1_000_000);

/** The tables that a restless connection syncs. */
export const tables = ['incidents', 'alerts', 'incident_updates', 'users'] as const;

/**
 * A connection whose tables are due every second, and a function that starts workers to kill.
 * @param place the destination; a folder next to the settings file if left out
 */
export async function restless(temporal: TestTemporal, sizes: Sizes, place?: string) {
  const sandbox = await startSandbox({ limits: 'off', latencyMs: 10, sizes });
  onTestFinished(() => sandbox.stop());
  const incremental = { syncMethod: 'incremental', incrementalField: 'updated_at', every: '1s' } as const;
  const full = { syncMethod: 'full_refresh', every: '1s' } as const;
  const settings = { incidents: incremental, alerts: incremental, incident_updates: full, users: full };
  const linked = await link(temporal, sandbox, {}, place);
  for (const table of tables) await linked.link(table, settings[table], false);
  const { apiKey } = linked.settings;
  if (!('env' in apiKey)) throw new Error('the test must keep its key in a variable');
  const startWorker = () =>
    startCommand(['worker', '--settings', linked.file], {
      TEMPORAL_ADDRESS: temporal.address,
      [apiKey.env]: sandbox.key,
    });
  return { sandbox, linked, startWorker };
}

/** Changes one row in each of two tables and adds an alert. `afterMs` makes the changes recognisable. */
export function disturb(sandbox: Sandbox, index: number, afterMs: number): void {
  sandbox.change('incidents', sandbox.idAt('incidents', index), { name: `changed after ${afterMs}` });
  sandbox.change('alerts', sandbox.idAt('alerts', index), { title: `changed after ${afterMs}` });
  sandbox.create('alerts');
}
