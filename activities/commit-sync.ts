import type { Call } from '../src/incident-io/client.ts';
import { readPage } from '../src/incident-io/pages.ts';
import type { Table } from '../src/tables/table.ts';
import type { CommitOutcome, Warehouse } from '../src/warehouse/warehouse.ts';
import type { Clients } from './clients.ts';
import type { CommitInput } from './contract.ts';

/** Makes a run visible in one Delta version, and sweeps its staging once that is done. */
export async function commitSync(
  { run, plan, parts, total: counted }: CommitInput,
  table: Table,
  warehouse: Warehouse,
  clients: Clients,
  call: Call,
): Promise<CommitOutcome> {
  const total = table.counted
    ? (counted ?? (await countOf(table, plan.state.filters, await clients.clientOf(run), call)))
    : undefined;
  const outcome = await warehouse.commit(table, {
    chainId: run.chainId,
    parts,
    ...plan,
    ...(run.retentionMs !== undefined && { retentionMs: run.retentionMs }),
    ...(total !== undefined && { total }),
  });
  if (outcome.status !== 'overtaken') await warehouse.discardStaged(table, run.chainId);
  return outcome;
}

/** `total_record_count` of all rows, hidden ones too; `undefined` where the API does not know it. */
async function countOf(
  table: Table,
  filters: string,
  client: Awaited<ReturnType<Clients['clientOf']>>,
  call: Call,
): Promise<number | undefined> {
  const params = JSON.parse(filters) as [string, string][];
  const page = await readPage(client, table, { params }, undefined, { ...call, pageSize: 1 });
  return page.total;
}
