import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clients } from '../../activities/clients.ts';
import { commitSync } from '../../activities/commit-sync.ts';
import type { Extracted, ExtractInput, Plan, TableRun } from '../../activities/contract.ts';
import { extractBatch } from '../../activities/extract-batch.ts';
import { planSync } from '../../activities/plan-sync.ts';
import { SourceError } from '../../src/errors.ts';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import { at, Dice, hash } from '../../src/sandbox/data/random.ts';
import { timestamp } from '../../src/sandbox/data/times.ts';
import { lifeOf } from '../../src/sandbox/life.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import type { ApiRecord, ColumnType, Table } from '../../src/tables/table.ts';
import { folderStore } from '../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../src/warehouse/open-warehouse.ts';
import type { Warehouse } from '../../src/warehouse/warehouse.ts';
import { afterBatch, batchOf, type Reading, startReading } from '../../workflows/windows.ts';
import { readWithDeltaRs } from './delta-reader.ts';
import { faults, type Played, type Round, type Scenario } from './scenario.ts';
import { declaredTypesOf, differences, normal } from './truth.ts';

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;
const busyRows = 900;
const busyDays = 60;
/** Page size for tables that are split into windows, so that a window is read in few batches. */
const largePageSize = 10;
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
  const world = await World.start(scenario, warehouse, seen, rule);
  try {
    for (const round of scenario.rounds) {
      for (const name of scenario.tables) await world.playRound(name, round);
    }
    const wrong: string[] = [];
    for (const name of scenario.tables) wrong.push(...(await world.playLast(name, folder)));
    return wrong;
  } finally {
    await world.stop();
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class World {
  readonly #scenario: Scenario;
  readonly #sandbox: Sandbox;
  readonly #warehouse: Warehouse;
  readonly #seen: Seen;
  readonly #rule: WrongRule;
  readonly #dice: Dice;
  readonly #clock: { now: number };
  readonly #declared = new Map<Played, Table>();
  /** The records that a table may hold for a row: as last stamped, and as changed since without a stamp. */
  readonly #versions = new Map<string, ApiRecord[]>();
  readonly #gone = new Set<string>();
  readonly #watermarks = new Map<Played, number[]>();
  #steps = 0;
  #runs = 0;
  #teams = 0;
  /** The latest time that the API reported before its clock was set back. */
  #latest = 0;

  private constructor(
    scenario: Scenario,
    sandbox: Sandbox,
    warehouse: Warehouse,
    seen: Seen,
    rule: WrongRule,
    clock: { now: number },
  ) {
    this.#scenario = scenario;
    this.#sandbox = sandbox;
    this.#warehouse = warehouse;
    this.#seen = seen;
    this.#rule = rule;
    this.#clock = clock;
    this.#dice = new Dice(hash(scenario.seed, 0x91a7, 0));
    for (const name of scenario.tables) {
      this.#declared.set(name, this.#paged(tableNamed(name)));
      for (const record of sandbox.records(name)) this.#versions.set(String(record['id']), [record]);
    }
    this.#live();
  }

  static async start(scenario: Scenario, warehouse: Warehouse, seen: Seen, rule: WrongRule): Promise<World> {
    const { seed, tables, large, dateZone, order, minuteOfDay } = scenario;
    const clock = { now: Date.parse('2026-11-02T00:00:00Z') + minuteOfDay * minuteMs };
    const many = (name: Played, few: number) => (large && tables.includes(name) ? 450 : few);
    const sandbox = await startSandbox({
      seed,
      limits: 'off',
      now: () => clock.now,
      readings: { dateZone, order },
      sizes: {
        incidents: 50,
        incident_updates: 70,
        follow_ups: 60,
        alerts: many('alerts', 100),
        escalations: many('escalations', 60),
        users: 30,
        schedules: 0,
      },
    });
    process.env[keyVariable] = sandbox.key;
    // Weeks that are busier than the first split into windows assumes.
    for (const name of ['alerts', 'escalations'] as const) {
      if (!large || !tables.includes(name)) continue;
      const began = Date.parse('2025-01-01T00:00:00Z') + (seed % 500) * dayMs;
      for (let row = 0; row < busyRows; row += 1) {
        const moment = timestamp(began + (row * busyDays * dayMs) / busyRows);
        sandbox.create(name, { created_at: moment, updated_at: moment });
      }
    }
    return new World(scenario, sandbox, warehouse, seen, rule, clock);
  }

  stop(): Promise<void> {
    Reflect.deleteProperty(process.env, keyVariable);
    return this.#sandbox.stop();
  }

  async playRound(name: Played, round: Round): Promise<void> {
    this.#clock.now += round.minutesBefore * minuteMs;
    for (const event of round.events) await this.#happen(name, event);
    const rules = round.faults.flatMap((fault) => [...faults[fault]]);
    const restore = rules.map((fault) => this.#sandbox.fault(fault));
    this.#steps = round.life;
    try {
      await this.#run(name, round, false);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      this.#saw(`died: ${error.message}`);
    } finally {
      this.#steps = 0;
      for (const takeBack of restore) takeBack();
    }
  }

  /** One run without faults or changes; then compares the table with the account. */
  async playLast(name: Played, folder: string): Promise<string[]> {
    const { last, tables } = this.#scenario;
    // A follow-up whose incident changes mode, or is deleted, may be missed until the next full read.
    const limited = name === 'follow_ups' && tables.includes('incidents');
    this.#clock.now += this.#dice.below(30) * minuteMs;
    const plan = await this.#run(
      name,
      {
        minutesBefore: 0,
        events: [],
        syncMethod: limited ? 'full_refresh' : last,
        byCreation: false,
        faults: [],
        life: 0,
        fate: 'ends',
        carried: 'nothing',
        fullReadEveryMinutes: 10_000_000,
      },
      true,
    );
    this.#saw(plan.fullRead ? 'the last run a full read' : 'the last run incremental');
    return this.#wrongIn(name, folder, plan.fullRead);
  }

  #saw(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  /** The clock and the account only move with requests, so that everything is repeatable. */
  #live(): void {
    const { seed, tables } = this.#scenario;
    const step = lifeOf(this.#sandbox, {
      seed,
      tables,
      onStep: ({ kind, id, record }) => {
        this.#saw(kind);
        if (record === undefined) this.#gone.add(id);
        else if (kind === 'silent') this.#versions.get(id)!.push(record);
        else this.#versions.set(id, [record]);
      },
    });
    this.#sandbox.beforeAnswer = () => {
      this.#clock.now += this.#dice.below(3_000);
      if (this.#dice.chance(0.03)) this.#clock.now += this.#dice.below(8 * minuteMs);
      for (let n = 0; n < this.#steps; n += 1) step();
    };
  }

  #paged({ bucket: _bucket, ...table }: Table): Table {
    if (table.paging.kind === 'single') return table;
    const { large, pageSize } = this.#scenario;
    const paging = { kind: 'pages', pageSize: large && table.splitBy ? largePageSize : pageSize } as const;
    return { ...table, paging };
  }

  async #happen(name: Played, event: Round['events'][number]): Promise<void> {
    this.#saw(event);
    switch (event) {
      case 'resync':
        await this.#warehouse.resetState(this.#declared.get(name)!);
        break;
      case 'roles':
        this.#changeRoles();
        break;
      case 'upgrade':
        this.#upgrade(name);
        break;
      case 'category':
        this.#sandbox.create('incident_statuses', { category: `category ${this.#dice.below(1_000)}` });
        break;
      case 'clock back':
        // So little that, together with a late commit, it stays within the overlap.
        this.#latest = Math.max(this.#latest, this.#clock.now);
        this.#clock.now = Math.max(this.#clock.now - this.#dice.below(50_000), this.#latest - 50_000);
        break;
      case 'drift': {
        const field = `vendor_added_${this.#dice.below(3)}`;
        const before = this.#sandbox.transform;
        this.#sandbox.transform = (record, table) => ({
          ...((before?.(record, table) ?? record) as ApiRecord),
          [field]: this.#scenario.seed % 2 === 0 ? { of: record['id'] } : `of ${String(record['id'])}`,
        });
        break;
      }
    }
  }

  /** Never back to earlier roles: nobody can notice a change that is undone before the identity is read again. */
  #changeRoles(): void {
    const roles = this.#dice.chance(0.5) ? ['viewer'] : ['viewer', 'global_access'];
    this.#teams += 1;
    this.#sandbox.setIdentity({ roles, teams: [{ id: `team ${this.#teams}`, name: 'A team' }] });
  }

  /** Another version of the declaration: some columns have other types, some fields are unknown. */
  #upgrade(name: Played): void {
    const table = tableNamed(name);
    const others: { readonly [T in ColumnType]: ColumnType } = {
      text: 'json',
      json: 'text',
      timestamp: 'text',
      boolean: 'json',
      double: 'json',
      bigint: 'json',
    };
    const columns = Object.entries(table.columns).flatMap(([column, declared]) => {
      const kept = column === 'id' || column === 'updated_at' || column === table.passes?.column;
      if (kept || declared.from || !this.#dice.chance(0.15)) return [[column, declared] as const];
      // A column that other columns take their values from stays: without it, the declaration does not compile.
      const isRoot = Object.values(table.columns).some(({ from }) => from?.[0] === column);
      if (!isRoot && this.#dice.chance(0.5)) return [];
      return [[column, { ...declared, type: others[declared.type] }] as const];
    });
    this.#declared.set(name, this.#paged({ ...table, columns: Object.fromEntries(columns) }));
  }

  /** One run, as the workflow does it. Throws `Died` if a run that is not quiet fails. */
  async #run(name: Played, round: Round, quiet: boolean): Promise<Plan> {
    const dice = this.#dice;
    this.#runs += 1;
    const clients = new Clients(round.faults.includes('stall') ? 1_000 : undefined);
    const identity: TableRun = {
      table: name,
      chainId: `run-${this.#runs}`,
      apiKey: { env: keyVariable },
      baseUrl: this.#sandbox.url,
      account: 'unknown',
      limits: {
        batchRows: this.#scenario.large ? 300 : this.#scenario.batchRows,
        batchMs: minuteMs,
        giveUpAfterMs: minuteMs,
      },
    };
    const call = { signal: new AbortController().signal };
    const attempt = { ...call, waited: () => {}, waitsUntil: () => {} };
    const again = async <T>(work: () => Promise<T>): Promise<T> => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await work();
        } catch (error) {
          if (quiet || !(error instanceof SourceError)) throw error;
          this.#saw('an attempt failed');
          if (error.retry === 'never' || tries === 10) throw new Died(error.name);
        }
      }
    };
    /** Extracts a batch as Temporal would: sometimes twice, so that the part of a lost attempt is left in staging. */
    const extract = async (input: ExtractInput): Promise<Extracted> => {
      const made = () =>
        again(() =>
          extractBatch(input, {
            table: this.#declared.get(name)!,
            warehouse: this.#warehouse,
            clients,
            attempt,
            stopping: () => dice.chance(0.03),
          }),
        );
      const batch = await made();
      if (!dice.chance(0.15)) return batch;
      this.#saw('an attempt was given up');
      const second = await made();
      return dice.chance(0.5) ? batch : second;
    };

    for (let plans = 1; ; plans += 1) {
      if (plans > 4) throw new Died('OvertakenError');
      const table = this.#declared.get(name)!;
      const planned = () =>
        again(() =>
          planSync(
            {
              run: identity,
              ...this.#methodOf(table, round),
              fullReadEveryMs: round.fullReadEveryMinutes * minuteMs,
              ...this.#carried(name, round),
            },
            { table, warehouse: this.#warehouse, clients, call },
          ),
        );
      let plan = await planned();
      if (dice.chance(0.1)) plan = await planned();
      this.#saw(plan.fullRead ? `full read: ${plan.reason}` : 'incremental');
      if (this.#rule.plan && !plan.fullRead) plan = this.#rule.plan(plan, await this.#largest(name));
      const run = { ...identity, account: plan.state.account };
      const meanwhile = plans === 1 ? round.fate : 'ends';
      let reading = startReading(plan);
      const ready = new Map<number, Extracted>();
      let late: ExtractInput | undefined;
      while (reading.open.length > 0) {
        if (meanwhile === 'dies' && dice.chance(0.15)) throw new Died('by lot');
        if (meanwhile === 'is upgraded meanwhile' && dice.chance(0.3)) this.#upgrade(name);
        if (meanwhile === 'loses sight meanwhile' && dice.chance(0.3)) this.#changeRoles();
        const idle = reading.open.map(({ window }) => window.id).filter((id) => !ready.has(id));
        if (idle.length > 0 && (ready.size === 0 || (ready.size < 8 && dice.chance(0.6)))) {
          const id = dice.pick(idle);
          const now = plan.now === undefined ? {} : { now: plan.now };
          late = { run, ...batchOf(reading, id), ...now };
          ready.set(id, await extract(late));
          continue;
        }
        const id = dice.pick([...ready.keys()]);
        reading = this.#told(name, reading, id, ready.get(id)!, quiet);
        ready.delete(id);
      }
      if (meanwhile === 'is overtaken') await this.#run(name, { ...round, fate: 'ends' }, quiet);
      if (meanwhile === 'is reset meanwhile') await this.#warehouse.resetState(table);
      const commit = () =>
        again(() =>
          commitSync(
            { run, plan, parts: reading.parts },
            { table: this.#declared.get(name)!, warehouse: this.#warehouse, clients, call },
          ),
        );
      const outcomes = await Promise.all(
        meanwhile === 'is committed by two at once' ? [commit(), commit()] : [commit()],
      );
      if (meanwhile === 'is committed twice') outcomes.push(await commit());
      for (const { status } of outcomes) this.#saw(status);
      const committed = outcomes.find(({ status }) => status === 'committed');
      if (committed?.status !== 'committed') {
        await this.#warehouse.discardStaged(table, run.chainId);
        continue;
      }
      if (outcomes.filter(({ status }) => status === 'committed').length > 1) {
        throw new Error('one run was committed twice');
      }
      if (committed.watermark !== undefined) {
        this.#watermarks.set(name, [...(this.#watermarks.get(name) ?? []), committed.watermark]);
      }
      // An attempt that was given up on may still stage a part after the commit.
      if (late !== undefined && dice.chance(0.5)) await extract(late);
      return plan;
    }
  }

  /** The reading after a batch. When a window is split, adds rows at the very bounds of its parts. */
  #told(name: Played, reading: Reading, id: number, batch: Extracted, quiet: boolean): Reading {
    let told = batch;
    if (batch.next.kind === 'split') {
      this.#saw(id === 0 ? 'a table was cut into windows' : 'a window was cut again');
      const table = this.#declared.get(name)!;
      if (quiet) this.#createAtBounds(name, table, batch.next.windows);
      const windows = this.#rule.windows?.(batch.next.windows) ?? batch.next.windows;
      told = { ...batch, next: { kind: 'split', windows } };
    }
    if (batch.next.kind === 'reopen') this.#saw('a window was opened again');
    const after = afterBatch(reading, id, told);
    if ('exhausted' in after) throw quiet ? new Error(after.exhausted) : new Died('CursorRejectedError');
    return after;
  }

  /** Adds rows around the bounds of windows that were not read yet, dated so that no incremental run finds them. */
  #createAtBounds(name: Played, table: Table, windows: readonly NewWindow[]): void {
    const isDay = table.filters?.created_at?.granularity === 'day';
    for (const window of windows.slice(1)) {
      const start = boundsOf(window).from!;
      for (const units of [-1, -0.5, 0, 0.5, 1, 1.5, 2]) {
        const moment = timestamp(start + units * (isDay ? dayMs : 1));
        const record = this.#sandbox.create(name, { created_at: moment, updated_at: moment });
        this.#versions.set(String(record['id']), [record]);
      }
    }
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

  /**
   * What is wrong with a table after its last run. After a full read it must equal the account. After an incremental
   * run it must hold each existing row as last stamped; it may lag behind on removed rows and on silent changes.
   */
  async #wrongIn(name: Played, folder: string, fullRead: boolean): Promise<string[]> {
    const table = this.#declared.get(name)!;
    const types = declaredTypesOf(table);
    const { rows, schema } = await readWithDeltaRs(join(folder, name));
    const records = new Map([...this.#sandbox.records(name)].map((record) => [String(record['id']), record]));
    const byId = new Map(rows.map((row) => [String(row['id']), row]));
    const modes = new Map(
      [...this.#sandbox.records('incidents')].map((incident) => [incident['id'], incident['mode']]),
    );
    const wrong: string[] = [];
    if (byId.size !== rows.length) wrong.push(`${name}: a key appears twice`);
    const columns = new Set(schema.map((field) => field.name));
    for (const column of Object.keys(table.columns)) {
      if (!columns.has(column)) wrong.push(`${name} has no column ${column}`);
    }
    for (const [id, record] of records) {
      const row = byId.get(id);
      if (!row) {
        wrong.push(`${name} ${id} is missing`);
        continue;
      }
      const versions = fullRead ? [record] : (this.#versions.get(id) ?? []);
      const odd = versions.map((version) => differences(row, version, table, types));
      if (!odd.some(({ length }) => length === 0)) {
        wrong.push(`${name} ${id} is wrong in ${at(odd, odd.length - 1).join(', ')}`);
      }
      if (row['_synced_at'] === null) wrong.push(`${name} ${id} was never synced`);
      if (!fullRead) continue;
      const lost = undeclaredOf(record, table).filter(
        ([column, value]) => normalOr(row[column]) !== normalOr(value),
      );
      if (lost.length > 0) wrong.push(`${name} ${id} lost ${lost.map(([column]) => column).join(', ')}`);
      const mode = row['incident_mode'];
      if (table.passes && mode !== 'stream' && mode !== (modes.get(record['incident_id']) ?? 'standard')) {
        wrong.push(`${name} ${id} has the wrong mode`);
      }
    }
    for (const id of byId.keys()) {
      if (!records.has(id) && (fullRead || !this.#gone.has(id)))
        wrong.push(`${name} ${id} should not be there`);
    }
    return wrong;
  }
}

/** The fields of a record that are not declared, by the column that holds them, as text or JSON text. */
function undeclaredOf(record: ApiRecord, { columns, passes }: Table): [string, string][] {
  return Object.entries(record).flatMap(([field, value]): [string, string][] => {
    if (value === null || value === undefined) return [];
    const column = columns[field];
    const isOwn = column !== undefined && !column.from && field !== passes?.column;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (!isOwn) return [[field, text]];
    return column.type === 'text' && typeof value !== 'string' ? [[`${field}__raw`, text]] : [];
  });
}

/** JSON text with sorted keys, other text as it is. */
function normalOr(text: unknown): unknown {
  return typeof text === 'string' && /^[[{]/.test(text) ? normal(text) : text;
}

/** The bounds of a window in its request: the first moment in it, and the first moment after it. */
export function boundsOf({ params }: NewWindow): { from?: number; to?: number } {
  for (const [name, value] of params) {
    const [start, end] = value.split('~');
    if (name === 'created_at[gte]') return { from: Date.parse(value) };
    if (name === 'created_at[lte]') return { to: Date.parse(value) };
    if (name === 'created_at[date_range]') return { from: Date.parse(start!), to: Date.parse(end!) };
  }
  throw new Error('the window has no bounds');
}
