import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import type { TableSettings } from '../../src/settings/settings.ts';
import { defined } from '../../src/defined.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { inputOf } from '../../src/connections/runs/input.ts';
import { tableWorkflowId, workerQueue } from '../../src/temporal/names.ts';
import type { SyncTableInput } from '../../workflows/contract.ts';
import type { syncTable } from '../../workflows/sync-table.ts';
import { temporaryFolder } from './sync.ts';
import { unique } from './temporal.ts';

/** The variable that holds the key; only processes that the test starts have it. */
export const keyVariable = 'INCIDENT_IO_TEST_KEY';

/** A settings file for a process to read, and a folder for its tables. */
export type TestSettings = {
  readonly connection: string;
  readonly folder: string;
  readonly file: string;
  readonly destination: string;
};

export async function settingsFor(
  sandbox: Sandbox,
  tables: { readonly [table: string]: TableSettings },
): Promise<TestSettings> {
  const folder = await temporaryFolder();
  const [destination, file] = [join(folder, 'warehouse'), join(folder, 'incident-io.json')];
  const connection = unique('test');
  await mkdir(destination);
  const apiKey = { env: keyVariable };
  const content = {
    version: 1,
    connection,
    apiKey,
    baseUrl: sandbox.url,
    destination,
    pool: connection,
    tables,
  };
  await writeFile(file, JSON.stringify(content));
  return { connection, folder, file, destination };
}

/**
 * Starts a run on the queue that `worker` and `up` serve.
 * @param quick whether it is tried in one step, as the runs of schedules are
 */
export function startOnWorkerQueue(
  client: Client,
  sandbox: Sandbox,
  { connection, destination }: TestSettings,
  table: string,
  quick?: SyncTableInput['quick'],
): Promise<WorkflowHandleWithFirstExecutionRunId<typeof syncTable>> {
  const apiKey = { env: keyVariable };
  const source = { destination, apiKey, baseUrl: sandbox.url, account: 'unknown', giveUpAfterMinutes: 5 };
  return client.workflow.start<typeof syncTable>('syncTable', {
    workflowId: tableWorkflowId(destination, table),
    taskQueue: workerQueue({ destination, pool: connection }),
    args: [{ ...inputOf(tableNamed(table), source, { syncMethod: 'full_refresh' }), ...defined({ quick }) }],
  });
}
