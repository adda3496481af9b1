// Lets `node --import <this file>` run the TypeScript sources, for tests that need a process of their own:
// one that runs the build would test whatever was built last.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Node calls this on the thread of its module hooks, where this same file is loaded again. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { transform } = await import('@swc/core');
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    filename: fileURLToPath(url),
    sourceMaps: 'inline',
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    swcrc: false,
  });
  return { format: 'module', source: code, shortCircuit: true };
}

const { isMainThread } = await import('node:worker_threads');
if (isMainThread) register(import.meta.url);
