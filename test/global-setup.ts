import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../src/serving/bundle.ts';
import { useTemporaryDevServer } from '../src/temporal/dev-server/temporary.ts';
import { ensureEnvironment } from './helpers/delta-reader.ts';
import { ensureGateway, hasGo } from './helpers/s3-gateway.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Temporal server that all tests share: each takes task queues and ids of its own. */
    temporalAddress: string;
    /** For `workflowBundle: { codePath }`: bundling anew takes each worker about a second. */
    workflowBundlePath: string;
    /** Whether there is what the tests of buckets need. */
    canServeS3: boolean;
  }
}

/** Starts one Temporal server, found as the product finds it, and bundles the workflows, once for all tests. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const canServeS3 = hasGo();
  if (!canServeS3 && process.env['CI']) throw new Error('The tests of buckets need Go, which is missing.');
  if (!canServeS3) console.log('Go is missing: the tests of buckets are skipped.');
  const done = new AbortController();
  // It takes a minute or two, once; only the tests that need it wait, and tell what went wrong.
  const built = canServeS3 ? ensureGateway(done.signal).catch(() => undefined) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-bundle-'));
  const workflowBundlePath = join(folder, 'workflow-bundle.js');
  const [server] = await Promise.all([
    useTemporaryDevServer({ env: process.env, report: console.log }),
    bundleWorkflows(workflowBundlePath),
    // Installing takes longer than a test may, should the first one that reads with delta-rs have to do it.
    ensureEnvironment(),
  ]);
  provide('canServeS3', canServeS3);
  provide('temporalAddress', server.address);
  provide('workflowBundlePath', workflowBundlePath);
  return async () => {
    done.abort();
    await built;
    await server.release();
    await rm(folder, { recursive: true, force: true });
  };
}
