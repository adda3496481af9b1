import { settingsVersion } from './settings.ts';

/** Version 1 of the format had other names for two settings of a table. */
const newNames: { readonly [name: string]: string } = {
  sync: 'syncMethod',
  fullRefreshEvery: 'fullReadEvery',
};
const oldNames: { readonly [name: string]: string } = Object.fromEntries(
  Object.entries(newNames).map(([before, now]) => [now, before]),
);

/** Settings of version 1 in the current format. */
export type Upgrade = {
  readonly value: object;
  /** Renamed settings: from the new path, such as `tables.incidents.syncMethod`, to the path in the file. */
  readonly renamed: ReadonlyMap<string, string>;
};

/**
 * The upgrade of a file's parsed JSON; `undefined` if it is not of version 1. Values stay as written, right or wrong,
 * for the schema to check.
 */
export function upgradeOf(written: unknown): Upgrade | undefined {
  if (!isRecord(written) || written['version'] !== 1) return undefined;
  const renamed = new Map<string, string>();
  const { tables } = written;
  if (!isRecord(tables)) return { value: { ...written, version: settingsVersion }, renamed };
  const entries = Object.entries(tables).map(([table, entry]) => {
    if (!isRecord(entry)) return [table, entry];
    const settings = Object.entries(entry).map(([name, setting]) => {
      const now = newNames[name];
      // A file with both names is wrong: the old name stays, and the schema reports it.
      if (now === undefined || now in entry) return [name, setting];
      renamed.set(`tables.${table}.${now}`, `tables.${table}.${name}`);
      return [now, setting];
    });
    return [table, Object.fromEntries(settings) as unknown];
  });
  const value = { ...written, version: settingsVersion, tables: Object.fromEntries(entries) as unknown };
  return { value, renamed };
}

/** The name that version 1 has for a setting of a table. */
export function nameInVersion1(name: string): string {
  return oldNames[name] ?? name;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
