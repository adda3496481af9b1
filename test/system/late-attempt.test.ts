import { expect, it, onTestFinished } from 'vitest';
import type { Activities } from '../../activities/contract.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { tableNamed } from '../../src/tables/index.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { link } from '../helpers/linked.ts';
import { connectToTestServer } from '../helpers/temporal.ts';
import { expectTruth } from '../helpers/truth.ts';
import { linesOf } from '../helpers/warehouse.ts';

quietRuntime();
const temporal = await connectToTestServer();

it(
  'commits the parts that the workflow lists, not a part that an abandoned attempt wrote late',
  { timeout: 90_000 },
  async () => {
    const sandbox = await startSandbox({ limits: 'off', sizes: { users: 50 } });
    onTestFinished(() => sandbox.stop());
    const linked = await link(temporal, sandbox, { users: { syncMethod: 'full_refresh', every: '1s' } });
    const users = tableNamed('users');

    let attempts = 0;
    let succeed = () => {};
    const succeeded = new Promise<void>((resolve) => {
      succeed = resolve;
    });
    let wroteLate: Promise<unknown> | undefined;
    await linked.serving(
      async () => {
        const { rows } = await linked.run('users');
        expect(rows).toBe(50);
      },
      (own): Partial<Activities> => ({
        async extractBatch(asked) {
          attempts += 1;
          if (attempts > 1) {
            const batch = await own.extractBatch(asked);
            succeed();
            await wroteLate;
            return batch;
          }
          // Stays silent until Temporal has given up on it and another attempt has read everything; then it stages.
          wroteLate = succeeded.then(async () => {
            const writer = await linked.warehouse.createPart(users, asked.run.chainId);
            const stale = { ...[...sandbox.records('users')][0], name: 'stale' };
            await writer.add(linesOf(users, [{ id: 'nobody' }, stale]));
            return writer.finish();
          });
          return wroteLate as Promise<never>;
        },
      }),
    );
    expect(attempts).toBe(2);
    await expectTruth(sandbox, linked.destination, ['users']);
  },
);
