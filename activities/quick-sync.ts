import { createHash } from 'node:crypto';
import { defined } from '../src/defined.ts';
import type { Table } from '../src/tables/table.ts';
import type { PartWriter } from '../src/warehouse/part.ts';
import type { TableState } from '../src/warehouse/warehouse.ts';
import { commitOf, longRunSeconds } from '../workflows/commit-of.ts';
import { fromPlan, readingAfter, windowsAtOnce } from '../workflows/windows.ts';
import { commitSync } from './commit-sync.ts';
import type { CommitInput, ExtractInput, Plan, PlanInput, QuickSynced, WindowBatch } from './contract.ts';
import { type BatchWorld, readBatch, stage, type UnstagedBatch } from './extract-batch.ts';
import { extractChildren } from './extract-children.ts';
import { planOnState } from './plan-sync.ts';
import type { Step } from './step.ts';

/**
 * A longer read continues batch by batch, which shows its progress. With staging and commit, the step then rarely takes
 * the five seconds after which the SDK logs a warning about the workflow task.
 */
const quickMs = 3_000;

type QuickWorld = Step &
  Pick<BatchWorld, 'attempt' | 'stopping'> & {
    /** Whether the step holds a workflow task, which should not last for seconds: then a first sync is only planned. */
    readonly isLocal: boolean;
  };

/**
 * Does a whole run, if the first batch of each of its windows is the last: plan, read, commit. Otherwise it returns
 * what it has read, and the run continues from there.
 *
 * Safe to do twice: if an attempt has committed and its answer was lost, the next one commits nothing.
 */
export async function quickSync(input: PlanInput, world: QuickWorld): Promise<QuickSynced> {
  const began = performance.now();
  const { isLocal, parent } = world;
  const { plan, state } = await planOnState(input, world);
  const { rows = 0, lastCommit } = state ?? {};
  if (lastCommit?.chainId === input.run.chainId) {
    const { version } = lastCommit;
    // The attempt that committed may have been killed before it deleted its parts.
    await world.warehouse.discardStaged(world.table, input.run.chainId);
    return { plan, batches: [], outcome: { status: 'already_committed', version, rows } };
  }
  // An import begins the first syncs of all tables at once. Within their workflow tasks they would exceed the time limit
  // of those on a busy machine, and begin again.
  const isTooLong = isLocal && state === undefined;
  if (isTooLong || plan.windows.length > windowsAtOnce) return { plan, batches: [] };
  const run = { ...input.run, account: plan.state.account };
  const inputs = plan.windows.map((window) => firstBatch(run, plan, window));
  const { batches, ...known } =
    plan.parents && parent
      ? { batches: await extractAll(inputs, { ...world, parent }) }
      : await stageChanged(await readAll(inputs, world), plan, state);
  const reading = readingAfter(plan, batches);
  if (reading.open.length > 0) return { plan, batches };
  const isLong = performance.now() - began > longRunSeconds * 1_000 ? (true as const) : undefined;
  const commit: CommitInput = {
    run,
    ...commitOf(plan, reading),
    ...known,
    look: { reading: 1 },
    ...defined({ isLong }),
  };
  return { plan, batches, outcome: await commitSync(commit, world) };
}

function firstBatch(run: ExtractInput['run'], plan: Plan, window: ExtractInput['window']): ExtractInput {
  const limits = { ...run.limits, batchMs: Math.min(run.limits.batchMs, quickMs) };
  return { run: { ...run, limits }, window, startedAt: [], ...fromPlan(plan) };
}

function extractAll(
  inputs: readonly ExtractInput[],
  world: QuickWorld & { readonly parent: Table },
): Promise<WindowBatch[]> {
  return allOrNone(
    inputs.map(async (input) => ({
      windowId: input.window.id,
      extracted: await extractChildren(input, world),
    })),
  );
}

/** A window's batch before its rows are staged, with a hash of them. */
type ReadWindow = UnstagedBatch & { readonly windowId: number; readonly digest: string };

async function readAll(inputs: readonly ExtractInput[], world: QuickWorld): Promise<ReadWindow[]> {
  const { warehouse } = world;
  return allOrNone(
    inputs.map(async (input) => {
      const hash = createHash('sha256');
      const createPart = async (...part: Parameters<typeof warehouse.createPart>): Promise<PartWriter> => {
        const writer = await warehouse.createPart(...part);
        return hashing(writer, (bytes) => hash.update(bytes));
      };
      const read = await readBatch(input, { ...world, warehouse: { ...warehouse, createPart } });
      return { ...read, windowId: input.window.id, digest: hash.digest('hex') };
    }),
    ({ writer }) => writer.abort(),
  );
}

/** Waits for all, so that nothing is written any more after a failure; then undoes what succeeded and throws. */
async function allOrNone<T>(
  work: readonly Promise<T>[],
  undo: (done: T) => Promise<void> = () => Promise.resolve(),
): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((one) => one.status === 'rejected');
  if (!failed) return Promise.all(work);
  for (const one of settled) if (one.status === 'fulfilled') await undo(one.value);
  throw failed.reason;
}

/** The same writer, which also hashes its lines. */
function hashing(writer: PartWriter, update: (bytes: Buffer) => void): PartWriter {
  return {
    add: (lines) => {
      update(lines.bytes);
      return writer.add(lines);
    },
    get rows() {
      return writer.rows;
    },
    get bytes() {
      return writer.bytes;
    },
    finish: () => writer.finish(),
    abort: () => writer.abort(),
  };
}

type Staged = { readonly batches: WindowBatch[] } & Pick<CommitInput, 'digest' | 'unchanged'>;

/**
 * Stages what was read, unless the table's last commit was made from the same rows. The merge of rows that were merged
 * before changes nothing, as long as no other writer has changed the table.
 */
async function stageChanged(
  read: readonly ReadWindow[],
  plan: Plan,
  state: TableState | undefined,
): Promise<Staged> {
  const isWhole = read.every(({ extracted }) => extracted.next.kind === 'done');
  const digest = digestOf(plan, read);
  // Rows have to be staged to find those that a reading by changes had missed.
  if (isWhole && !plan.compare && state?.lastCommit?.digest === digest) {
    for (const { writer } of read) await writer.abort();
    const batches = read.map(({ windowId, extracted, writer }) => ({
      windowId,
      extracted: { ...extracted, unchanged: writer.rows },
    }));
    return { batches, digest, unchanged: true };
  }
  const batches = await allOrNone(
    read.map(async ({ windowId, extracted, writer }) => ({
      windowId,
      extracted: { ...extracted, ...(await stage(writer)) },
    })),
  );
  return { batches, ...(isWhole && { digest }) };
}

/** A full read drops the rows that it did not see, so there the same rows do not mean the same table. */
function digestOf({ fullRead }: Plan, read: readonly ReadWindow[]): string {
  const hash = createHash('sha256').update(fullRead ? 'all' : 'changes');
  for (const { digest } of read) hash.update(digest);
  return hash.digest('hex').slice(0, 32);
}
