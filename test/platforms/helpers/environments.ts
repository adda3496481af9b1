import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../.platforms', import.meta.url));

/** Each has an environment of its own: their requirements contradict each other. */
const packages = {
  airbyte: ['airbyte==0.71.3', 'airbyte-cdk==7.39.1'],
  'target-postgres-sdk': ['meltanolabs-target-postgres==0.8.1'],
  'target-postgres-pipelinewise': ['pipelinewise-target-postgres==2.1.2'],
  'target-jsonl': ['target-jsonl==0.1.4'],
  meltano: ['meltano==4.4.1'],
};
export type Environment = keyof typeof packages;
export const environments = Object.keys(packages) as Environment[];

/** The folder of a platform's programs, installed if they are not yet. */
export async function programsOf(name: Environment): Promise<string> {
  const folder = join(root, name);
  const mark = join(folder, 'installed.txt');
  const wanted = packages[name].join('\n');
  const installed = await readFile(mark, 'utf8').catch(() => undefined);
  if (installed !== wanted) {
    await rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/pip'), ['install', '--quiet', ...packages[name]]);
    await writeFile(mark, wanted);
  }
  return join(folder, 'bin');
}
