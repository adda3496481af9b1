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
    /** `host:port` of the Temporal server that all tests share: each uses its own task queues and ids. */
    temporalAddress: string;
    /** For `workflowBundle: { codePath }`: without it each worker bundles again, which takes about a second. */
    workflowBundlePath: string;
    /** Whether the S3 gateway can be built, which the tests of buckets need. */
    canServeS3: boolean;
  }
}

/** Starts one Temporal server, found the way the product finds it, and bundles the workflows, once for all tests. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const canServeS3 = hasGo();
  if (!canServeS3 && process.env['CI'])
    throw new Error('The tests of buckets need Go, which is not installed.');
  if (!canServeS3) console.log('Go is not installed: the tests of buckets are skipped.');
  const done = new AbortController();
  // Takes a minute or two the first time. Only the tests that need it wait for it, and they report what went wrong.
  const built = canServeS3 ? ensureGateway(done.signal).catch(() => undefined) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-bundle-'));
  const workflowBundlePath = join(folder, 'workflow-bundle.js');
  const [server] = await Promise.all([
    useTemporaryDevServer({ env: process.env, report: console.log }),
    bundleWorkflows(workflowBundlePath),
    // Installing takes longer than a test may take, so the first test that uses delta-rs must not have to do it.
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
