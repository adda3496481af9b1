import { onTestFinished } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../src/settings/settings.ts';

export const incremental: TableSettings = {
  syncMethod: 'incremental',
  incrementalField: 'updated_at',
  every: '1h',
};
export const fullRefresh: TableSettings = { syncMethod: 'full_refresh', every: '6h' };

/** A small account, for tests about what can be done with a connection. */
export async function smallSandbox(): Promise<Sandbox> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 300, incident_updates: 0, follow_ups: 0, alerts: 0, escalations: 0, users: 20 },
  });
  onTestFinished(() => sandbox.stop());
  return sandbox;
}
