import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../../src/serving/bundle.ts';
import { useTemporaryDevServer } from '../../src/temporal/dev-server/temporary.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the browser that all tests share is reached; missing if this machine has none. */
    browserEndpoint: string | undefined;
    /** The folder of the page, built from these sources. */
    pageFolder: string;
  }
}

/** Starts one Temporal server and one browser, and builds the page, once for all tests of the console. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const executablePath = chromiumHere();
  if (executablePath === undefined) {
    if (process.env['CI']) throw new Error('The tests of the console need Chromium, which is not installed.');
    console.log('Chromium is not installed: the tests of the console are skipped.');
    provide('browserEndpoint', undefined);
    return async () => undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-console-'));
  const pageFolder = join(folder, 'page');
  const workflowBundlePath = join(folder, 'workflow-bundle.js');
  const [server, browser] = await Promise.all([
    useTemporaryDevServer({ env: process.env, report: console.log }),
    // Containers give little shared memory, and Chromium crashes when it is used up.
    chromium.launchServer({ executablePath, args: ['--disable-dev-shm-usage'] }),
    bundleWorkflows(workflowBundlePath),
    build({
      root: fileURLToPath(new URL('../../console', import.meta.url)),
      logLevel: 'warn',
      build: { outDir: pageFolder },
    }),
  ]);
  provide('browserEndpoint', browser.wsEndpoint());
  provide('pageFolder', pageFolder);
  provide('temporalAddress', server.address);
  provide('workflowBundlePath', workflowBundlePath);
  return async () => {
    await browser.close();
    await server.release();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Path of a Chromium on this machine. */
function chromiumHere(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return false;
    }
  });
}
