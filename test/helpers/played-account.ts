import { type Dice } from '../../src/sandbox/data/random.ts';
import { timestamp } from '../../src/sandbox/data/times.ts';
import { lifeOf } from '../../src/sandbox/life.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import type { ApiRecord, ColumnType, Table } from '../../src/tables/table.ts';
import type { NewWindow } from '../../src/incident-io/windows.ts';
import type { Played, Round, Scenario } from './scenario.ts';

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;
const busyRows = 900;
const busyDays = 60;
/** Page size for tables that are split into windows, so that a window is read in few batches. */
const largePageSize = 10;

/** The account of a scenario, how it changes, and the declarations by which its tables are read at the moment. */
export class PlayedAccount {
  readonly sandbox: Sandbox;
  readonly declared = new Map<Played, Table>();
  /** The records that a table may hold for a row: as last stamped, and as changed since without a stamp. */
  readonly versions = new Map<string, ApiRecord[]>();
  /** The ids of rows that were removed. */
  readonly gone = new Set<string>();
  /** How many rows change before each response. */
  steps = 0;
  readonly #scenario: Scenario;
  readonly #dice: Dice;
  readonly #saw: (what: string) => void;
  readonly #clock: { now: number };
  #teams = 0;
  /** The latest time that the API reported before its clock was set back. */
  #latest = 0;

  private constructor(
    scenario: Scenario,
    dice: Dice,
    saw: (what: string) => void,
    sandbox: Sandbox,
    clock: { now: number },
  ) {
    this.sandbox = sandbox;
    this.#scenario = scenario;
    this.#dice = dice;
    this.#saw = saw;
    this.#clock = clock;
    for (const name of scenario.tables) {
      this.declared.set(name, this.#paged(tableNamed(name)));
      for (const record of sandbox.records(name)) this.versions.set(String(record['id']), [record]);
    }
    this.#live();
  }

  static async start(scenario: Scenario, dice: Dice, saw: (what: string) => void): Promise<PlayedAccount> {
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
    // Weeks that are busier than the first split into windows assumes.
    for (const name of ['alerts', 'escalations'] as const) {
      if (!large || !tables.includes(name)) continue;
      const began = Date.parse('2025-01-01T00:00:00Z') + (seed % 500) * dayMs;
      for (let row = 0; row < busyRows; row += 1) {
        const moment = timestamp(began + (row * busyDays * dayMs) / busyRows);
        sandbox.create(name, { created_at: moment, updated_at: moment });
      }
    }
    for (const table of ['alerts', 'escalations']) {
      const lacking = { kind: 'lacking', field: 'created_at' } as const;
      if (scenario.undated) sandbox.fault({ fault: lacking, fraction: 0.1, table });
    }
    return new PlayedAccount(scenario, dice, saw, sandbox, clock);
  }

  pass(minutes: number): void {
    this.#clock.now += minutes * minuteMs;
  }

  /** Makes an event happen to the account or to a table's declaration. */
  happen(name: Played, event: Exclude<Round['events'][number], 'resync'>): void {
    switch (event) {
      case 'roles':
        this.changeRoles();
        break;
      case 'upgrade':
        this.upgrade(name);
        break;
      case 'category':
        this.sandbox.create('incident_statuses', { category: `category ${this.#dice.below(1_000)}` });
        break;
      case 'clock back':
        // So little that, together with a late commit, it stays within the overlap.
        this.#latest = Math.max(this.#latest, this.#clock.now);
        this.#clock.now = Math.max(this.#clock.now - this.#dice.below(50_000), this.#latest - 50_000);
        break;
      case 'drift':
        this.#addField(`vendor_added_${this.#dice.below(3)}`);
        break;
    }
  }

  /** Never back to earlier roles: a change that is undone before the identity is read again cannot be noticed. */
  changeRoles(): void {
    const roles = this.#dice.chance(0.5) ? ['viewer'] : ['viewer', 'global_access'];
    this.#teams += 1;
    this.sandbox.setIdentity({ roles, teams: [{ id: `team ${this.#teams}`, name: 'A team' }] });
  }

  /** Another version of the declaration: some columns have other types, some fields are unknown. */
  upgrade(name: Played): void {
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
    this.declared.set(name, this.#paged({ ...table, columns: Object.fromEntries(columns) }));
  }

  /** Adds rows around the bounds of windows that were not read yet, dated so that no incremental run finds them. */
  createAtBounds(name: Played, windows: readonly NewWindow[]): void {
    const isDay = this.declared.get(name)!.filters?.created_at?.granularity === 'day';
    const starts = windows.flatMap(({ from, to }) => [from, to]).filter((time) => time !== undefined);
    for (const start of new Set(starts)) {
      for (const units of [-1, -0.5, 0, 0.5, 1, 1.5, 2]) {
        const moment = timestamp(start + units * (isDay ? dayMs : 1));
        const record = this.sandbox.create(name, { created_at: moment, updated_at: moment });
        this.versions.set(String(record['id']), [record]);
      }
    }
  }

  /** The clock and the account only move with requests, so that everything is repeatable. */
  #live(): void {
    const { seed, tables } = this.#scenario;
    const step = lifeOf(this.sandbox, {
      seed,
      tables,
      onStep: ({ kind, id, record }) => {
        this.#saw(kind);
        if (record === undefined) this.gone.add(id);
        else if (kind === 'silent') this.versions.get(id)!.push(record);
        else this.versions.set(id, [record]);
      },
    });
    this.sandbox.beforeAnswer = () => {
      this.#clock.now += this.#dice.below(3_000);
      if (this.#dice.chance(0.03)) this.#clock.now += this.#dice.below(8 * minuteMs);
      for (let n = 0; n < this.steps; n += 1) step();
    };
  }

  #paged({ bucket: _bucket, ...table }: Table): Table {
    if (table.paging.kind === 'single') return table;
    const { large, pageSize } = this.#scenario;
    const paging = { kind: 'pages', pageSize: large && table.splitBy ? largePageSize : pageSize } as const;
    return { ...table, paging };
  }

  #addField(field: string): void {
    const before = this.sandbox.transform;
    this.sandbox.transform = (record, table) => ({
      ...((before?.(record, table) ?? record) as ApiRecord),
      [field]: this.#scenario.seed % 2 === 0 ? { of: record['id'] } : `of ${String(record['id'])}`,
    });
  }
}
