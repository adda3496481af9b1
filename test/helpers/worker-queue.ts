import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { inputOf, type Method } from '../../src/temporal/input.ts';
import { runId, workerQueue } from '../../src/temporal/names.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { temporaryFolder } from './sync.ts';
import { type TestTemporal, unique } from './temporal.ts';

/** The name of the variable that holds the key; only processes of the test have it. */
export const keyVariable = 'INCIDENT_IO_TEST_KEY';

/** A connection of a test's own: a settings file, and a folder for its tables. */
export type TestLink = {
  readonly name: string;
  readonly folder: string;
  readonly settings: string;
  readonly destination: string;
};

export async function connectionTo(
  sandbox: Sandbox,
  tables: { readonly [table: string]: object },
): Promise<TestLink> {
  const folder = await temporaryFolder();
  const destination = join(folder, 'warehouse');
  const settings = join(folder, 'incident-io.json');
  const name = unique('test');
  await mkdir(destination);
  const apiKey = { env: keyVariable };
  const content = { version: 1, connection: name, apiKey, baseUrl: sandbox.url, destination, tables };
  await writeFile(settings, JSON.stringify(content));
  return { name, folder, settings, destination };
}

/** Starts a run on the queue that `worker` and `up` serve, as a schedule does. */
export function startOnWorkerQueue(
  { client }: TestTemporal,
  sandbox: Sandbox,
  { destination }: TestLink,
  table: string,
  method?: Method,
): Promise<WorkflowHandle<typeof syncTable>> {
  const apiKey = { env: keyVariable };
  const source = { apiKey, baseUrl: sandbox.url, account: 'unknown', giveUpAfterMinutes: 5 };
  return client.workflow.start<typeof syncTable>('syncTable', {
    workflowId: runId(destination, table),
    taskQueue: workerQueue(destination),
    args: [inputOf(tableNamed(table), source, method)],
  });
}
