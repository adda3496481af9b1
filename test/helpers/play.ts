import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clients } from '../../activities/clients.ts';
import { commitSync } from '../../activities/commit-sync.ts';
import type {
  Extracted,
  ExtractInput,
  Look,
  Plan,
  PlanInput,
  QuickSynced,
  TableRun,
} from '../../activities/contract.ts';
import { extractBatch } from '../../activities/extract-batch.ts';
import { planSync } from '../../activities/plan-sync.ts';
import { quickSync } from '../../activities/quick-sync.ts';
import { recountSync } from '../../activities/recount-sync.ts';
import type { Step } from '../../activities/step.ts';
import { SourceError } from '../../src/errors.ts';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import { Dice, hash } from '../../src/sandbox/data/random.ts';
import type { Table } from '../../src/tables/table.ts';
import { folderStore } from '../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts';
import type { CommitOutcome, Warehouse } from '../../src/warehouse/warehouse.ts';
import { afterBatch, batchOf, type Reading, readingAfter, startReading } from '../../workflows/windows.ts';
import { readWithDeltaRs } from './delta-reader.ts';
import { PlayedAccount } from './played-account.ts';
import { wrongIn } from './played-table.ts';
import { faults, type Played, type Round, type Scenario } from './scenario.ts';

const minuteMs = 60_000;
const keyVariable = 'INCIDENT_IO_PLAYED_KEY';

/** A wrong rule in place of the product's, to prove that the tests notice it. */
export type WrongRule = {
  /** Replaces the plan of an incremental run. @param largest the largest `updated_at` in the table */
  readonly plan?: (plan: Plan, largest: string) => Plan;
  /** Replaces the windows that another window is split into. */
  readonly windows?: (windows: readonly NewWindow[]) => readonly NewWindow[];
};

/** How often each thing happened. */
export type Seen = Map<string, number>;

/** How a run that is not quiet may end; the next run has to make up for it. */
class Died extends Error {}

/**
 * Plays a scenario with the real activity functions, the real workflow state and a sandbox over HTTP, in an order that
 * the scenario's seed decides, followed by one quiet run of each table.
 * @returns what is wrong with the tables after that, in words
 */
export async function play(scenario: Scenario, seen: Seen, rule: WrongRule = {}): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-played-'));
  const warehouse = await openWarehouse(folderStore(folder), { destination: folder });
  const player = await Player.start(scenario, warehouse, seen, rule);
  try {
    for (const round of scenario.rounds) {
      for (const name of scenario.tables) await player.playRound(name, round);
    }
    const wrong: string[] = [];
    for (const name of scenario.tables) wrong.push(...(await player.playLast(name)));
    return wrong;
  } finally {
    await player.stop();
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run in progress. */
type Run = {
  readonly name: Played;
  readonly round: Round;
  /** What happens between its plan and its commit. */
  readonly meanwhile: Round['fate'];
  readonly identity: TableRun;
  readonly clients: Clients;
  readonly quiet: boolean;
};

const call = { signal: new AbortController().signal };

class Player {
  readonly #scenario: Scenario;
  readonly #account: PlayedAccount;
  readonly #warehouse: Warehouse;
  readonly #seen: Seen;
  readonly #rule: WrongRule;
  readonly #dice: Dice;
  readonly #watermarks = new Map<Played, number[]>();
  #runs = 0;

  private constructor(
    scenario: Scenario,
    account: PlayedAccount,
    warehouse: Warehouse,
    seen: Seen,
    rule: WrongRule,
    dice: Dice,
  ) {
    this.#scenario = scenario;
    this.#account = account;
    this.#warehouse = warehouse;
    this.#seen = seen;
    this.#rule = rule;
    this.#dice = dice;
  }

  static async start(scenario: Scenario, warehouse: Warehouse, seen: Seen, rule: WrongRule): Promise<Player> {
    const dice = new Dice(hash(scenario.seed, 0x91a7, 0));
    const account = await PlayedAccount.start(scenario, dice, (what) => saw(seen, what));
    process.env[keyVariable] = account.sandbox.key;
    return new Player(scenario, account, warehouse, seen, rule, dice);
  }

  stop(): Promise<void> {
    Reflect.deleteProperty(process.env, keyVariable);
    return this.#account.sandbox.stop();
  }

  async playRound(name: Played, round: Round): Promise<void> {
    const account = this.#account;
    account.pass(round.minutesBefore);
    for (const event of round.events) {
      this.#saw(event);
      if (event === 'resync') await this.#warehouse.resetState(this.#declared(name));
      else account.happen(name, event);
    }
    const rules = round.faults.flatMap((fault) => [...faults[fault]]);
    const restore = rules.map((fault) => account.sandbox.fault(fault));
    account.steps = round.life;
    try {
      await this.#run(name, round, false);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      this.#saw(`died: ${error.message}`);
    } finally {
      account.steps = 0;
      for (const takeBack of restore) takeBack();
    }
  }

  /** One run without faults or changes; then compares the table with the account. */
  async playLast(name: Played): Promise<string[]> {
    const { last, tables } = this.#scenario;
    // A follow-up whose incident changes mode, or is deleted, may be missed until the next full read.
    // The next full read notices a list that ended early, if nothing contradicted it.
    const endedEarly = this.#scenario.rounds.some(({ faults }) => faults.includes('ends in mid-air'));
    const limited = endedEarly || (name === 'follow_ups' && tables.includes('incidents'));
    this.#account.pass(this.#dice.below(30));
    const quiet: Round = {
      minutesBefore: 0,
      events: [],
      syncMethod: limited ? 'full_refresh' : last,
      byCreation: false,
      faults: [],
      life: 0,
      fate: 'ends',
      carried: 'nothing',
      fullReadEveryMinutes: 10_000_000,
    };
    const plan = await this.#run(name, quiet, true);
    for (let again = 0; again < 2 && this.#dice.chance(0.5); again += 1) await this.#run(name, quiet, true);
    this.#saw(plan.fullRead ? 'the last run a full read' : 'the last run incremental');
    return wrongIn(name, join(this.#warehouse.destination, name), this.#account, plan.fullRead);
  }

  #saw(what: string): void {
    saw(this.#seen, what);
  }

  #declared(name: Played): Table {
    return this.#account.declared.get(name)!;
  }

  /** One run, as the workflow does it. Throws `Died` if a run that is not quiet fails. */
  async #run(name: Played, round: Round, quiet: boolean): Promise<Plan> {
    this.#runs += 1;
    const identity: TableRun = {
      table: name,
      chainId: `run-${this.#runs}`,
      apiKey: { env: keyVariable },
      baseUrl: this.#account.sandbox.url,
      account: 'unknown',
      limits: {
        batchRows: this.#scenario.large ? 300 : this.#scenario.batchRows,
        batchMs: minuteMs,
        giveUpAfterMs: minuteMs,
      },
    };
    const clients = new Clients(round.faults.includes('stall') ? { timeoutMs: 1_000 } : {});
    for (let plans = 1; plans <= 4; plans += 1) {
      const meanwhile = plans === 1 ? round.fate : 'ends';
      const planned: Run = { name, round, meanwhile, identity, clients, quiet };
      const isQuick = plans === 1 && this.#rule.plan === undefined && this.#dice.chance(0.5);
      const { plan, batches, outcome } = isQuick
        ? await this.#quick(planned)
        : { plan: await this.#plan(planned), batches: [], outcome: undefined };
      const run = { ...planned, identity: { ...identity, account: plan.state.account } };
      const begun = readingAfter(plan, batches);
      const { reading, late } = outcome ? { reading: begun } : await this.#read(run, plan, begun);
      if (meanwhile === 'is overtaken') await this.#run(name, { ...round, fate: 'ends' }, quiet);
      if (meanwhile === 'is reset meanwhile') await this.#warehouse.resetState(this.#declared(name));
      if (!(await this.#committed(run, plan, reading, outcome))) continue;
      // An attempt that was given up on may still stage a part after the commit.
      if (late !== undefined && this.#dice.chance(0.5)) await this.#extract(run, late);
      return plan;
    }
    throw new Died('OvertakenError');
  }

  /** Does the run in one step if it is small enough; at times twice, as if the first answer had been lost. */
  async #quick(run: Run): Promise<QuickSynced> {
    const input = this.#planInput(run);
    const quick = () =>
      this.#again(run, () =>
        quickSync(input, {
          isLocal: false,
          ...this.#step(run),
          attempt: { ...call, waited: () => {}, waitsUntil: () => {} },
          stopping: () => this.#dice.chance(0.03),
        }),
      );
    const done = await quick();
    if (done.outcome) this.#saw(`in one step: ${done.outcome.status}`);
    if (done.batches.some(({ extracted }) => extracted.unchanged)) this.#saw('the same rows were read again');
    if (done.outcome?.status !== 'committed') return done;
    const { watermark } = done.outcome;
    if (this.#dice.chance(0.2)) {
      this.#saw('an answer was lost');
      const again = await quick();
      if (again.outcome?.status !== 'already_committed') throw new Error('one run was committed twice');
    }
    if (watermark !== undefined) this.#remember(run.name, watermark);
    return done;
  }

  #step({ name, clients }: Run): Step {
    return { table: this.#declared(name), warehouse: this.#warehouse, clients, call };
  }

  #planInput({ name, round, identity }: Run): PlanInput {
    return {
      run: identity,
      ...this.#methodOf(this.#declared(name), round),
      fullReadEveryMs: round.fullReadEveryMinutes * minuteMs,
      ...this.#carried(name, round),
    };
  }

  async #plan(run: Run): Promise<Plan> {
    const { name } = run;
    const input = this.#planInput(run);
    const planned = () => this.#again(run, () => planSync(input, this.#step(run)));
    let plan = await planned();
    if (this.#dice.chance(0.1)) plan = await planned();
    this.#saw(plan.fullRead ? `full read: ${plan.reason}` : 'incremental');
    return this.#rule.plan && !plan.fullRead ? this.#rule.plan(plan, await this.#largest(name)) : plan;
  }

  /** Commits a run, after a second look if the first is doubtful; false if it has to plan again. */
  async #committed(run: Run, plan: Plan, reading: Reading, outcome?: CommitOutcome): Promise<boolean> {
    const first = outcome ?? (await this.#commit(run, plan, reading, { reading: 1 }));
    if (outcome && outcome.status !== 'doubtful') await this.#afterCommit(run, plan, outcome);
    if (first.status !== 'doubtful') return first.status === 'committed';
    this.#saw('a table was read a second time');
    const again = await this.#read(run, plan, { ...startReading(plan), parts: reading.parts });
    const look: Look = { reading: 2, droppedAtFirst: first.dropped };
    const second = await this.#commit(run, plan, again.reading, look);
    if (second.status !== 'doubtful') return second.status === 'committed';
    await this.#warehouse.discardStaged(this.#declared(run.name), run.identity.chainId);
    if (run.quiet) throw new Error(second.reason);
    throw new Died('ContradictedError');
  }

  /** Reads all windows, several at a time. `late`: the last batch that was asked for. */
  async #read(
    run: Run,
    plan: Plan,
    start: Reading,
  ): Promise<{ readonly reading: Reading; readonly late?: ExtractInput }> {
    const { name, meanwhile, identity } = run;
    const dice = this.#dice;
    let reading = start;
    const ready = new Map<number, Extracted>();
    let late: ExtractInput | undefined;
    while (reading.open.length > 0) {
      if (meanwhile === 'dies' && dice.chance(0.15)) throw new Died('by lot');
      if (meanwhile === 'is upgraded meanwhile' && dice.chance(0.3)) this.#account.upgrade(name);
      if (meanwhile === 'loses sight meanwhile' && dice.chance(0.3)) this.#account.changeRoles();
      const idle = reading.open.map(({ window }) => window.id).filter((id) => !ready.has(id));
      if (idle.length > 0 && (ready.size === 0 || (ready.size < 8 && dice.chance(0.6)))) {
        const id = dice.pick(idle);
        const now = plan.now === undefined ? {} : { now: plan.now };
        late = { run: identity, ...batchOf(reading, id), ...now };
        ready.set(id, await this.#extract(run, late));
        continue;
      }
      const id = dice.pick([...ready.keys()]);
      reading = this.#told(run, reading, id, ready.get(id)!);
      ready.delete(id);
    }
    return { reading, ...(late && { late }) };
  }

  /** Commits what was read, as often and by as many attempts as the run's fate says, and recounts like the workflow. */
  async #commit(run: Run, plan: Plan, { parts }: Reading, look: Look): Promise<CommitOutcome> {
    const { name, meanwhile, identity, clients } = run;
    const table = this.#declared(name);
    const commit = () =>
      this.#again(run, () =>
        commitSync(
          { run: identity, plan, parts, look },
          { table: this.#declared(name), warehouse: this.#warehouse, clients, call },
        ),
      );
    const outcomes = await Promise.all(
      meanwhile === 'is committed by two at once' ? [commit(), commit()] : [commit()],
    );
    if (meanwhile === 'is committed twice') outcomes.push(await commit());
    for (const { status } of outcomes) this.#saw(status);
    const committed = outcomes.find(({ status }) => status === 'committed');
    if (committed?.status !== 'committed') {
      const doubtful = outcomes.find(({ status }) => status === 'doubtful');
      if (doubtful) return doubtful;
      await this.#warehouse.discardStaged(table, identity.chainId);
      return outcomes[0];
    }
    if (outcomes.filter(({ status }) => status === 'committed').length > 1) {
      throw new Error('one run was committed twice');
    }
    if (committed.watermark !== undefined) this.#remember(name, committed.watermark);
    await this.#afterCommit(run, plan, committed);
    return committed;
  }

  /** Counts again as the workflow does; discards what an overtaken run has staged. */
  async #afterCommit(run: Run, plan: Plan, outcome: CommitOutcome): Promise<void> {
    if (outcome.status === 'committed') {
      if (!plan.fullRead && outcome.differences > 0) await this.#recount(run, plan, outcome.counter);
    } else if (outcome.status === 'overtaken') {
      await this.#warehouse.discardStaged(this.#declared(run.name), run.identity.chainId);
    }
  }

  #remember(name: Played, watermark: number): void {
    this.#watermarks.set(name, [...(this.#watermarks.get(name) ?? []), watermark]);
  }

  async #recount(run: Run, { now }: Plan, plannedOn: number): Promise<void> {
    const { name, identity, clients } = run;
    try {
      const { status } = await recountSync(
        { run: identity, plannedOn, ...(now !== undefined && { now }) },
        { table: this.#declared(name), warehouse: this.#warehouse, clients, call },
        { ...call, waited: () => {}, waitsUntil: () => {} },
      );
      this.#saw(`recount: ${status}`);
    } catch (error) {
      // The run is committed; the next one counts again.
      if (run.quiet || !(error instanceof SourceError)) throw error;
    }
  }

  /** Extracts a batch as Temporal would: sometimes twice, so that the part of a lost attempt is left in staging. */
  async #extract(run: Run, input: ExtractInput): Promise<Extracted> {
    const made = () =>
      this.#again(run, () =>
        extractBatch(input, {
          table: this.#declared(run.name),
          warehouse: this.#warehouse,
          clients: run.clients,
          attempt: { ...call, waited: () => {}, waitsUntil: () => {} },
          stopping: () => this.#dice.chance(0.03),
        }),
      );
    const batch = await made();
    if (!this.#dice.chance(0.15)) return batch;
    this.#saw('an attempt was given up');
    const second = await made();
    return this.#dice.chance(0.5) ? batch : second;
  }

  async #again<T>({ quiet }: Run, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (quiet || !(error instanceof SourceError)) throw error;
        this.#saw('an attempt failed');
        if (error.retry === 'never' || tries === 10) throw new Died(error.name);
      }
    }
  }

  /** The reading after a batch. When a window is split, adds rows at the very bounds of its parts. */
  #told({ name, quiet }: Run, reading: Reading, id: number, batch: Extracted): Reading {
    let told = batch;
    if (batch.next.kind === 'split') {
      this.#saw(id === 0 ? 'a table was cut into windows' : 'a window was cut again');
      if (quiet) this.#account.createAtBounds(name, batch.next.windows);
      const windows = this.#rule.windows?.(batch.next.windows) ?? batch.next.windows;
      told = { ...batch, next: { kind: 'split', windows } };
    }
    if (batch.next.kind === 'reopen') this.#saw('a window was opened again');
    const after = afterBatch(reading, id, told);
    if ('exhausted' in after) throw quiet ? new Error(after.exhausted) : new Died('CursorRejectedError');
    return after;
  }

  #methodOf(
    { incremental }: Table,
    { syncMethod, byCreation }: Round,
  ):
    | { syncMethod: 'full_refresh' }
    | { syncMethod: 'incremental'; incrementalField: 'updated_at' | 'created_at' } {
    if (syncMethod === 'full_refresh' || !incremental) return { syncMethod: 'full_refresh' };
    const created = byCreation && incremental.by.includes('created_at');
    return { syncMethod, incrementalField: created ? 'created_at' : 'updated_at' };
  }

  #carried(name: Played, { carried }: Round): { lastWatermark?: number } {
    const known = this.#watermarks.get(name) ?? [];
    if (carried === 'nothing' || known.length === 0) return {};
    return { lastWatermark: carried === 'the last' ? known.at(-1)! : this.#dice.pick(known) };
  }

  async #largest(name: Played): Promise<string> {
    const { rows } = await readWithDeltaRs(join(this.#warehouse.destination, name));
    return rows.map((row) => String(row['updated_at'])).reduce((a, b) => (a > b ? a : b));
  }
}

function saw(seen: Seen, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}
