import { realpathSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { tracingModule } from './create-worker.ts';

/**
 * Bundles the workflows of these sources, or of this build, into the file that workers run them from.
 * @param workflowInterceptorModules modules that are called between the workflows and Temporal
 */
export async function bundleWorkflows(
  file: string,
  workflowInterceptorModules: string[] = [],
): Promise<void> {
  const workflowsPath = fileURLToPath(
    new URL(`../../workflows/index${extname(import.meta.url)}`, import.meta.url),
  );
  const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error };
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules,
    logger: silent,
  });
  // Renamed into place: a worker that starts meanwhile reads the old bundle or the new one, never half of one.
  await writeFile(`${file}.new`, code);
  await rename(`${file}.new`, file);
}

const thisFile = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === thisFile) {
  const built = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
  await bundleWorkflows(built('workflow-bundle.js'));
  await bundleWorkflows(built('workflow-bundle-traced.js'), [tracingModule]);
}
