import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** No statistics, and no look at Airbyte's list of connectors. */
const quiet = { DO_NOT_TRACK: '1', AIRBYTE_OFFLINE_MODE: '1' };

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Runs a program to its end. */
export function ran(
  program: string,
  argv: readonly string[],
  {
    input = '',
    env = {},
    cwd,
  }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      env: { ...process.env, ...quiet, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text: Buffer) => void (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => void (err += text.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The same for a program that must succeed. */
export async function succeeded(...args: Parameters<typeof ran>): Promise<Ran> {
  const end = await ran(...args);
  if (end.code !== 0)
    throw new Error(`${args[0]} ended with ${end.code}:\n${end.out.slice(-3000)}\n${end.err.slice(-6000)}`);
  return end;
}

/** An executable that runs one of the programs from its sources. */
export async function executable(
  folder: string,
  name: 'source-incident-io' | 'tap-incident-io',
): Promise<string> {
  const main = name === 'tap-incident-io' ? 'singer' : 'airbyte';
  const script = join(folder, name);
  const argv = [
    process.execPath,
    '--import',
    here('../../helpers/run-typescript.mjs'),
    here(`../../../src/platforms/${main}/main.ts`),
  ];
  await writeFile(script, `#!/bin/sh\nexec ${argv.map((arg) => `'${arg}'`).join(' ')} "$@"\n`);
  await chmod(script, 0o755);
  return script;
}
