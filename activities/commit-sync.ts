import { defined } from '../src/defined.ts';
import { TableUnavailableError } from '../src/errors.ts';
import { readPage } from '../src/incident-io/pages.ts';
import { asChild, parentKeyOf } from '../src/tables/parents.ts';
import type { CommitOutcome, CommitRequest } from '../src/warehouse/warehouse.ts';
import type { CommitInput, Look } from './contract.ts';
import type { Step } from './step.ts';

/**
 * Makes a run visible in one Delta version, and deletes its staging once that is done.
 *
 * Throws `AccountMismatchError` if the key of a long run belongs to another account by now.
 */
export async function commitSync(input: CommitInput, step: Step): Promise<CommitOutcome> {
  const { run, plan, parts, look, isLong, digest, unchanged } = input;
  const { table, warehouse, clients, call } = step;
  // The batches compared it with an earlier answer to this process. One version must not mix the rows of two accounts.
  if (isLong) await clients.identify(run, call);
  assertSomeKnown(input, step);
  const total = table.counted ? (input.total ?? (await countRecords(input, step))) : undefined;
  const { chainId, retentionMs } = run;
  const missed = await missedRows(input, step);
  const outcome = await warehouse.commit(table, {
    chainId,
    parts,
    ...plan,
    ...ofParents(input, step),
    ...(missed > 0 && { state: { ...plan.state, ...defined({ missedAt: plan.now }) } }),
    ...defined({ retentionMs, total, digest, unchanged, question: look && questionOf(look) }),
  });
  if (outcome.status !== 'overtaken' && outcome.status !== 'doubtful')
    await warehouse.discardStaged(table, chainId);
  return outcome.status === 'committed' && missed > 0 ? { ...outcome, missed } : outcome;
}

/** For a full read: the rows that a reading by changes had missed. */
async function missedRows(
  { run, plan, parts }: CommitInput,
  { table, parent, warehouse }: Step,
): Promise<number> {
  const child = asChild(table);
  if (!plan.compare || !parent || !child) return 0;
  const { by } = parentKeyOf(child, parent);
  return warehouse.missedRows(table, { table: parent, by, ...plan.compare }, { chainId: run.chainId, parts });
}

/** The parts of a commit that differ for a table that is read parent by parent. */
function ofParents(
  { plan, parents }: CommitInput,
  { table, parent }: Step,
): Partial<Pick<CommitRequest, 'fullRead' | 'replaces' | 'state'>> {
  const child = asChild(table);
  if (!parent || !child || !plan.parents || !parents) return {};
  const { by, key } = parentKeyOf(child, parent);
  const { tableId, version } = plan.parents.pick;
  const { within } = plan.parents;
  const { left } = parents;
  const replaces = {
    by: [by],
    read: parents.keys,
    alive: { table: parent.name, key: [key], tableId, version },
    ...defined({ within, keepsOthers: table.parent ? undefined : (true as const) }),
  } as const;
  // Parents that could not be read keep their rows, so not all rows are replaced.
  const fullRead = plan.fullRead && left.length === 0;
  return {
    fullRead,
    ...(!fullRead && { replaces }),
    state: { ...plan.state, ...(left.length > 0 && { left }) },
  };
}

/** If the API knows none of the parents, it does not have the list: their rows are not deleted for that. */
function assertSomeKnown({ parents }: CommitInput, { table, parent }: Step): void {
  if (!parents || parents.done < 2 || parents.gone < parents.done) return;
  throw new TableUnavailableError(
    `not available: GET ${table.path}: 404 for each of ${parents.done} ${parent?.name ?? 'parents'}`,
    { status: 404 },
  );
}

function questionOf(look: Look): NonNullable<CommitRequest['question']> {
  return look.reading === 1 ? {} : { droppedAtFirst: look.droppedAtFirst };
}

/** `total_record_count` of all records, including the hidden ones; `undefined` if the API does not know it. */
async function countRecords({ run, plan }: CommitInput, step: Step): Promise<number | undefined> {
  const { table, clients, call } = step;
  const params = JSON.parse(plan.state.filters) as [string, string][];
  const client = await clients.clientOf(run);
  const page = await readPage({ client, table, call }, { params }, undefined, 1);
  return page.total;
}
