import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';
import { expect, it } from 'vitest';

const source = (name: string) => fileURLToPath(new URL(`../../../src/${name}`, import.meta.url));

/** The packages that a file loads before its first statement, with the files on the way to them. */
function packagesOf(file: string, way: readonly string[] = [], seen = new Set<string>()) {
  const found = new Map<string, readonly string[]>();
  if (seen.has(file)) return found;
  seen.add(file);
  for (const node of parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript' }).body) {
    if (node.type !== 'ImportDeclaration' || node.typeOnly) continue;
    const isType = ({ type, ...rest }: (typeof node.specifiers)[number]) =>
      type === 'ImportSpecifier' && 'isTypeOnly' in rest && rest.isTypeOnly;
    if (node.specifiers.length > 0 && node.specifiers.every(isType)) continue;
    const { value } = node.source;
    const on = [...way, file];
    if (!value.startsWith('.')) found.set(value, on);
    else
      for (const [name, path] of packagesOf(resolve(dirname(file), value), on, seen)) found.set(name, path);
  }
  return found;
}

it('loads neither Temporal, DuckDB nor an HTTP client before it knows what to do: that takes a second', () => {
  const heavy = /^(@temporalio|@duckdb|@opentelemetry|@aws-sdk|axios|zod|pino)/;
  const commands = readdirSync(source('cli/commands'))
    .map((name) => `cli/commands/${name.endsWith('.ts') ? name : `${name}/${name}.ts`}`)
    .filter((file) => existsSync(source(file)));
  expect(commands.length).toBeGreaterThan(20);
  for (const file of ['cli/main.ts', ...commands]) {
    const loaded = [...packagesOf(source(file))].filter(([name]) => heavy.test(name));
    expect(loaded.map(([name, way]) => `${name} by ${way.at(-1)}`)).toEqual([]);
  }
});

it('loads no table for --version and --help: the tables are most of the modules', () => {
  const files = new Set<string>();
  packagesOf(source('cli/main.ts'), [], files);
  expect(files.size).toBeGreaterThan(5);
  expect([...files].filter((file) => file.includes('/src/tables/'))).toEqual([]);
});

it('loads only what a status needs of Temporal’s packages, and no DuckDB: it is most of the time that a status takes', () => {
  // Their entries load what runs workflows, and Node reads each file twice that an entry passes on.
  const whole = /^(@temporalio\/(client|common|worker)|@duckdb\/node-api|@opentelemetry\/api)$/;
  const files = [
    'connections/status/status-reader.ts',
    'connections/status/connection-health.ts',
    'temporal/connection.ts',
    'temporal/patient-client.ts',
  ];
  for (const file of files) {
    const loaded = [...packagesOf(source(file))].filter(([name]) => whole.test(name));
    expect(loaded.map(([name, way]) => `${name} by ${way.at(-1)}`)).toEqual([]);
  }
});
