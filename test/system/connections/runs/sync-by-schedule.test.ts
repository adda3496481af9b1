import { expect, it, onTestFinished } from 'vitest';
import { quietRuntime } from '../../../../src/serving/runtime.ts';
import { startSandbox } from '../../../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../../../src/settings/settings.ts';
import { cli } from '../../../helpers/cli.ts';
import { usualTables } from '../../../helpers/usual-tables.ts';
import { link } from '../../../helpers/linked.ts';
import { connectToTestServer } from '../../../helpers/temporal.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

it('waits for all tables at the same time, without a warning of Node about listeners', async () => {
  const sizes = { incidents: 5, incident_updates: 5, follow_ups: 5, alerts: 5, escalations: 5, users: 5 };
  const sandbox = await startSandbox({ limits: 'off', sizes });
  onTestFinished(() => sandbox.stop());
  const full: TableSettings = { syncMethod: 'full_refresh', every: '24h' };
  const linked = await link(temporal, sandbox, Object.fromEntries(usualTables.map((name) => [name, full])));
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const { code, out } = await linked.serving(() => cli(['sync', '--json', '--settings', linked.file]));
  expect(code).toBe(0);
  expect((JSON.parse(out) as { runs: unknown[] }).runs).toHaveLength(usualTables.length);
  expect(warnings).toEqual([]);
});
