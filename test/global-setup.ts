import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../src/temporal/bundle.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server-temporary.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Temporal server that all tests share: each takes task queues and ids of its own. */
    temporalAddress: string;
    /** For `workflowBundle: { codePath }`: bundling anew takes each worker about a second. */
    workflowBundlePath: string;
  }
}

/** Starts one Temporal server, found as the product finds it, and bundles the workflows, once for all tests. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-bundle-'));
  const workflowBundlePath = join(folder, 'workflow-bundle.js');
  const [server] = await Promise.all([
    useTemporaryDevServer({ env: process.env, report: console.log }),
    bundleWorkflows(workflowBundlePath),
  ]);
  provide('temporalAddress', server.address);
  provide('workflowBundlePath', workflowBundlePath);
  return async () => {
    await server.release();
    await rm(folder, { recursive: true, force: true });
  };
}
