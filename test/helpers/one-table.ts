import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { RunOutcome } from '../../src/connections/runs/runs.ts';
import {
  type Fault,
  type Sandbox,
  type SandboxOptions,
  type SandboxRequest,
  startSandbox,
} from '../../src/sandbox/sandbox.ts';
import { sync, type SyncOptions, temporaryFolder } from './sync.ts';
import type { TestTemporal } from './temporal.ts';

export type World = {
  readonly sandbox: Sandbox;
  readonly destination: string;
  /** Syncs one table, by default `alerts`. */
  readonly run: (options?: SyncOptions & { readonly table?: string }) => Promise<RunOutcome>;
};

/** An account with five pages of alerts and one of incidents, and an empty destination. */
export async function worldOf(temporal: TestTemporal, options: SandboxOptions = {}): Promise<World> {
  const sandbox = await startSandbox({
    limits: 'off',
    sizes: { incidents: 100, incident_updates: 0, follow_ups: 0, alerts: 220, escalations: 0, users: 5 },
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  const destination = await temporaryFolder();
  const run: World['run'] = async ({ table = 'alerts', ...more } = {}) =>
    (await sync(temporal, sandbox, destination, { tables: [table], ...more }))[0]!;
  return { sandbox, destination, run };
}

/** The result of a run that must have succeeded. */
export function resultOf(outcome: RunOutcome | undefined) {
  if (outcome?.status !== 'synced') throw new Error(`not synced: ${JSON.stringify(outcome)}`);
  return outcome.result;
}

/** Expects that the run failed with this error, whose message names these values, and that it left nothing at all. */
export async function expectFailed(
  { destination, sandbox }: World,
  outcome: RunOutcome,
  error: string,
  ...named: readonly string[]
): Promise<void> {
  expect(outcome).toMatchObject({ status: 'failed', error });
  const { message, advice } = outcome as Extract<RunOutcome, { status: 'failed' }>;
  for (const value of named) expect(`${message} ${advice}`).toContain(value);
  expect(advice).not.toBe('');
  expect(JSON.stringify(outcome)).not.toContain(sandbox.key);
  expect(await stagedIn(destination)).toEqual([]);
  await expect(access(join(destination, outcome.table))).rejects.toThrow('ENOENT');
}

export async function stagedIn(destination: string): Promise<string[]> {
  const entries = await readdir(join(destination, '_staging'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

export const hasCursor = ({ params }: SandboxRequest) => params.has('after');
export const isIdentity = ({ path }: SandboxRequest) => path === '/v1/identity';
export const refuses = (status: number): Fault => ({ kind: 'error', status });
