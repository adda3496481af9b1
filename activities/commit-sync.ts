import { defined } from '../src/defined.ts';
import { readPage } from '../src/incident-io/pages.ts';
import type { CommitOutcome } from '../src/warehouse/warehouse.ts';
import type { CommitInput } from './contract.ts';
import type { Step } from './step.ts';

/** Makes a run visible in one Delta version, and deletes its staging once that is done. */
export async function commitSync(input: CommitInput, step: Step): Promise<CommitOutcome> {
  const { run, plan, parts } = input;
  const { table, warehouse } = step;
  const total = table.counted ? (input.total ?? (await countRecords(input, step))) : undefined;
  const { chainId, retentionMs } = run;
  const outcome = await warehouse.commit(table, {
    chainId,
    parts,
    ...plan,
    ...defined({ retentionMs, total }),
  });
  if (outcome.status !== 'overtaken') await warehouse.discardStaged(table, chainId);
  return outcome;
}

/** `total_record_count` of all records, including the hidden ones; `undefined` if the API does not know it. */
async function countRecords({ run, plan }: CommitInput, step: Step): Promise<number | undefined> {
  const { table, clients, call } = step;
  const params = JSON.parse(plan.state.filters) as [string, string][];
  const client = await clients.clientOf(run);
  const page = await readPage({ client, table, call }, { params }, undefined, 1);
  return page.total;
}
