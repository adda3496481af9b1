import type { Table } from '../tables/table.ts';
import type { Source } from './data/source.ts';
import { endpointOf, type Endpoint } from './endpoints.ts';
import type { Faults } from './faults.ts';
import { Rows } from './rows.ts';

/** One list of the API. */
export type List = {
  readonly name: string;
  readonly declared: Table;
  readonly endpoint: Endpoint;
  readonly rows: Rows;
};

/** The values in a path, such as the id of a parent, by the name of their placeholder. */
type Placeholders = { readonly [name: string]: string };

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{([a-z_]+)\}/g, '(?<$1>[^/]+)')}$`);
}

/** Every list that a sandbox serves. */
export class Lists {
  readonly #byName: ReadonlyMap<string, List>;
  readonly #byPath: ReadonlyMap<string, List>;
  /** Lists whose path holds the id of a parent. */
  readonly #patterns: readonly { readonly pattern: RegExp; readonly list: List }[];

  constructor(
    tables: readonly Table[],
    sourceOf: (table: string) => Source,
    faults: Faults,
    now: () => number,
  ) {
    const lists = tables.map((table): List => {
      const key = table.primaryKey.map((column) => table.columns[column]?.from ?? [column]);
      const rows = new Rows(sourceOf(table.name), key, () => faults.rowRules(table.name), now);
      return { name: table.name, declared: table, endpoint: endpointOf(table, tables), rows };
    });
    this.#byName = new Map(lists.map((list) => [list.name, list]));
    this.#byPath = new Map(lists.map((list) => [list.endpoint.path, list]));
    this.#patterns = lists
      .filter(({ endpoint }) => endpoint.path.includes('{'))
      .map((list) => ({ pattern: patternOf(list.endpoint.path), list }));
  }

  /** Throws a RangeError if the sandbox has no such table. */
  get(name: string): List {
    const list = this.#byName.get(name);
    if (list === undefined) throw new RangeError(`the sandbox has no table ${name}`);
    return list;
  }

  find(name: string): List | undefined {
    return this.#byName.get(name);
  }

  /** The list at a path, and the values in the path. */
  at(path: string): { readonly list: List; readonly placeholders: Placeholders } | undefined {
    const exact = this.#byPath.get(path);
    if (exact) return { list: exact, placeholders: {} };
    for (const { pattern, list } of this.#patterns) {
      const found = pattern.exec(path);
      if (found) return { list, placeholders: { ...found.groups } };
    }
    return undefined;
  }

  /** The rate limits that lists have of their own, by path. */
  ownLimits() {
    return [...this.#byPath].flatMap(([path, { endpoint }]) =>
      endpoint.bucket ? [[path, endpoint.bucket] as const] : [],
    );
  }
}
