import { isLosslessNumber } from 'lossless-json';

import type { ApiRecord, TableShape } from '../tables/table.ts';
import { DeepValue } from './deep-values.ts';
import { looksSecret } from './secret-names.ts';

/** A declared secret, or what leads to some: fields of an object, items of a list. */
type Node = {
  isSecret: boolean;
  readonly fields: Map<string, Node>;
  items: Node | undefined;
};

export type SecretsOptions = {
  readonly harmless?: readonly string[] | 'all' | undefined;
  readonly isStrict?: boolean;
};

/**
 * Fields that never leave an answer: those that a table declares as secrets, and undeclared ones whose names say that
 * they are secrets.
 */
export class Secrets {
  readonly #declared = node();
  readonly #columns: ReadonlySet<string>;
  readonly #harmless: ReadonlySet<string>;
  readonly #isCut: boolean;
  readonly #isStrict: boolean;

  /**
   * @param columns the fields of a record that are columns, whatever their names
   * @param options.harmless paths of undeclared fields that are landed although their name looks like a secret's;
   * `all` if the secrets have been cut out already
   * @param options.isStrict whether a record's undeclared fields are withheld regardless of their names
   */
  constructor(
    table: TableShape,
    columns: ReadonlySet<string>,
    { harmless = [], isStrict = false }: SecretsOptions = {},
  ) {
    for (const path of table.secrets ?? []) addPath(this.#declared, path);
    this.#columns = columns;
    const columnPaths = Object.values(table.columns).flatMap(({ from }) => (from ? [from.join('.')] : []));
    this.#isCut = harmless === 'all';
    this.#isStrict = isStrict;
    this.#harmless = new Set([...(harmless === 'all' ? [] : harmless), ...columnPaths]);
  }

  /** Whether the field of a record is a declared secret as a whole. */
  isWhole(field: string): boolean {
    return this.#declared.fields.get(field)?.isSecret === true;
  }

  /** Whether there are declared secrets inside a field of a record. */
  areInside(field: string): boolean {
    return this.#declared.fields.get(field)?.isSecret === false;
  }

  /**
   * Removes the secrets from a parsed record.
   * @param withheld is given the paths of undeclared ones, such as `creator.token` or `images[].token`
   */
  cutFrom(record: ApiRecord, withheld: Set<string>): void {
    if (this.#isCut) return;
    for (const [field, value] of Object.entries(record)) {
      const declared = this.#declared.fields.get(field);
      const isSecret =
        declared?.isSecret ||
        (!this.#columns.has(field) &&
          (this.#isUndeclared(field, value, withheld) || this.#isWithheld(field, field, value, withheld)));
      if (isSecret) Reflect.deleteProperty(record, field);
      else this.#cutBelow(value, field, declared, withheld);
    }
  }

  #cutBelow(value: unknown, path: string, declared: Node | undefined, withheld: Set<string>): void {
    if (typeof value !== 'object' || value === null || isLosslessNumber(value)) return;
    if (value instanceof DeepValue) {
      if (this.#harmless.has(path) || !value.hasField(looksSecretInText)) return;
      value.text = 'null';
      report(path, withheld);
      return;
    }
    if (Array.isArray(value)) {
      if (declared?.items?.isSecret) value.length = 0;
      for (const item of value) this.#cutBelow(item, `${path}[]`, declared?.items, withheld);
      return;
    }
    for (const [field, inner] of Object.entries(value)) {
      const below = declared?.fields.get(field);
      const at = `${path}.${field}`;
      if (below?.isSecret || this.#isWithheld(at, field, inner, withheld))
        Reflect.deleteProperty(value, field);
      else this.#cutBelow(inner, at, below, withheld);
    }
  }

  /** Whether a field of a record is withheld only because it is undeclared. */
  #isUndeclared(field: string, value: unknown, withheld: Set<string>): boolean {
    if (!this.withholdsUndeclared(field) || value === null) return false;
    report(field, withheld);
    return true;
  }

  /** Whether a field that is not a column is withheld regardless of its name. */
  withholdsUndeclared(field: string): boolean {
    return this.#isStrict && !this.#harmless.has(field);
  }

  #isWithheld(path: string, field: string, value: unknown, withheld: Set<string>): boolean {
    if (!looksSecret(field, value) || this.#harmless.has(path)) return false;
    report(path, withheld);
    return true;
  }
}

/** Beyond this many, paths are no longer recorded: the names may be data. */
const mostReported = 50;

function report(path: string, withheld: Set<string>): void {
  if (withheld.size < mostReported) withheld.add(path);
}

/** In text that is not parsed, a field's value is assumed to be text. */
function looksSecretInText(field: string): boolean {
  return looksSecret(field, 'text');
}

function node(): Node {
  return { isSecret: false, fields: new Map(), items: undefined };
}

/** Adds a declared path, `token` or `images[].url`. */
function addPath(root: Node, path: string): void {
  let at = root;
  for (const step of path.split('.')) {
    const name = step.replace(/(\[\])+$/, '');
    const below = at.fields.get(name) ?? node();
    at.fields.set(name, below);
    at = below;
    for (let list = name.length; list < step.length; list += 2) at = at.items ??= node();
  }
  at.isSecret = true;
}
