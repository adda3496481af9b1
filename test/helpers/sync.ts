import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { defined } from '../../src/defined.ts';
import { inputOf, type Method, type SourceInput } from '../../src/connections/runs/input.ts';
import type { TableSettings } from '../../src/settings/settings.ts';
import type { RunOutcome, RunProgress } from '../../src/connections/runs/runs.ts';
import { serveWhile } from '../../src/serving/serve.ts';
import { syncTables } from '../../src/connections/runs/sync-tables.ts';
import { openDestination } from '../../src/warehouse/open-warehouse.ts';
import { accessOf, type TestTemporal, unique } from './temporal.ts';
import { usualTables } from './usual-tables.ts';

/** A folder of the test's own, deleted after it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export type SyncOptions = {
  readonly tables?: readonly string[];
  /** Instead of each table's default. */
  readonly method?: Method;
  /** What lands, as in the settings; by default everything. */
  readonly landing?: Pick<SourceInput, 'personal' | 'hashKey'> & Pick<TableSettings, 'columns' | 'nested'>;
  /** Defaults to the sandbox's own. */
  readonly key?: string;
  /** Instead of a variable with the key. */
  readonly keyFile?: string;
  readonly giveUpAfterMinutes?: number;
  readonly requestTimeoutMs?: number;
  /** Rows at which a batch ends; at least one page. */
  readonly batchRows?: number;
  readonly onProgress?: (progress: readonly RunProgress[]) => void;
};

/** Syncs tables of a sandbox into a destination the way the command does, on the tests' Temporal server. */
export async function sync(
  temporal: TestTemporal,
  sandbox: Pick<Sandbox, 'url' | 'key'>,
  destination: string,
  {
    tables = usualTables,
    method,
    // Tests about something else than nested tables end sooner without them.
    landing = { nested: false },
    key = sandbox.key,
    keyFile,
    giveUpAfterMinutes = 1,
    requestTimeoutMs,
    batchRows,
    onProgress = () => {},
  }: SyncOptions = {},
): Promise<RunOutcome[]> {
  const variable = unique('KEY').replaceAll('-', '_');
  process.env[variable] = key;
  const apiKey = keyFile === undefined ? { env: variable } : { file: keyFile };
  const { personal, hashKey } = landing;
  const source = {
    apiKey,
    baseUrl: sandbox.url,
    account: 'unknown',
    giveUpAfterMinutes,
    ...defined({ personal, hashKey }),
  };
  const inputs = tables.map((name) => {
    const input = inputOf(tableNamed(name), source, method, landing);
    const limits = { ...input.run.limits, ...(batchRows !== undefined && { batchRows }) };
    return { ...input, run: { ...input.run, limits } };
  });
  const { workflowBundle } = temporal;
  const access = accessOf(temporal);
  const warehouse = await openDestination(destination);
  try {
    return await serveWhile(
      { access, warehouse, workflowBundle, ...(requestTimeoutMs !== undefined && { requestTimeoutMs }) },
      (serving) =>
        syncTables(serving, destination, inputs, {
          onStart: () => {},
          onProgress,
          onOutcome: () => {},
          interrupt: new AbortController().signal,
        }),
    );
  } finally {
    await warehouse.close();
    Reflect.deleteProperty(process.env, variable);
  }
}
