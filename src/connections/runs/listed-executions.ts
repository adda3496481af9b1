import type { Client } from '@temporalio/client';
import type { Settings } from '../../settings/settings.ts';
import type { Table } from '../../tables/table.ts';
import { scheduleId, tableWorkflowId } from '../../temporal/names.ts';

/** An execution as the server's index lists it. */
export type Execution = {
  readonly table: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly isRunning: boolean;
};

/** `WORKFLOW_EXECUTION_STATUS_RUNNING` */
const running = 1;

/**
 * The executions of a connection's runs, by its schedules and outside them, newest first.
 * @param condition more of the server's query, such as `AND ExecutionStatus = "Running"`
 */
export async function listedExecutions(
  {
    client,
    settings,
    tables,
  }: { readonly client: Client; readonly settings: Settings; readonly tables: readonly Table[] },
  most: number,
  condition = '',
): Promise<Execution[]> {
  const { connection, destination } = settings;
  const scheduled = new Map(tables.map(({ name }) => [scheduleId(connection, name), name]));
  const byHand = new Map(tables.map(({ name }) => [tableWorkflowId(destination, name), name]));
  const anyOf = (ids: Iterable<string>) => [...ids].map((id) => `"${id}"`).join(', ');
  const isOurs = `(TemporalScheduledById IN (${anyOf(scheduled.keys())}) OR WorkflowId IN (${anyOf(byHand.keys())}))`;
  const { executions } = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    pageSize: most,
    query: `${isOurs} ${condition}`,
  });
  return executions.flatMap(({ execution, status }) => {
    const { workflowId, runId } = execution ?? {};
    if (!workflowId || !runId) return [];
    // The server adds the time to the id that the schedule gives.
    const schedule = workflowId.slice(0, Math.max(0, workflowId.lastIndexOf('-workflow')));
    const table = scheduled.get(schedule) ?? byHand.get(workflowId);
    return table === undefined ? [] : [{ table, workflowId, runId, isRunning: Number(status) === running }];
  });
}
