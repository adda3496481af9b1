import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../../activities/contract.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tableNamed } from '../../../src/tables/index.ts';
import { scheduleId } from '../../../src/temporal/names.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import type { SyncTableInput, SyncTableResult } from '../../../workflows/contract.ts';
import { cli } from '../../helpers/cli.ts';
import { changeWithDeltaRs, readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { link, type Linked, resultOf, startedAfter } from '../../helpers/linked.ts';
import { fullRefresh, incremental, smallSandbox } from '../../helpers/operated.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();
process.env['TEMPORAL_ADDRESS'] = temporal.address;

/** Work that passes waits here until the gate is opened. */
function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return {
    arrived,
    open: () => open(),
    async pass() {
      arrive();
      await opened;
    },
  };
}

/** Activities whose commits wait at the gate. */
function holding(held: Pick<ReturnType<typeof gate>, 'pass'>) {
  return (own: Activities): Partial<Activities> => ({
    commitSync: async (input) => {
      await held.pass();
      return own.commitSync(input);
    },
  });
}

/** Waits like an activity that can be cancelled. */
async function untilCancelled(): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 100);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
  }
}

/** The results of all runs of the table's schedule, oldest first. */
async function resultsOf(linked: Linked, table: string): Promise<SyncTableResult[]> {
  const { info } = await linked.schedule(table).describe();
  return Promise.all(info.recentActions.map(({ action }) => resultOf(temporal.client, action.workflow)));
}

async function stagedIn(destination: string): Promise<string[]> {
  const entries = await readdir(join(destination, '_staging'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const at = ({ file }: Linked) => ['--settings', file];

describe('trigger', () => {
  it('starts a run after the one in progress has ended, never next to it', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    const held = gate();
    await linked.serving(async () => {
      const trigger = async () => {
        const { out } = await cli(['trigger', 'users', '--json', ...at(linked)]);
        return JSON.parse(out) as unknown;
      };
      expect(await trigger()).toEqual([{ table: 'users', triggered: 'started' }]);
      await held.arrived;
      expect(await trigger()).toEqual([{ table: 'users', triggered: 'buffered' }]);
      expect(await trigger()).toEqual([{ table: 'users', triggered: 'buffered_before' }]);
      held.open();
      await startedAfter(linked.schedule('users'), 1);
      expect(await resultsOf(linked, 'users')).toHaveLength(2);
    }, holding(held));
    const { info } = await linked.schedule('users').describe();
    const runs = await Promise.all(
      info.recentActions.map(({ action }) =>
        temporal.client.workflow
          .getHandle(action.workflow.workflowId, action.workflow.firstExecutionRunId)
          .describe(),
      ),
    );
    expect(runs).toHaveLength(2);
    expect(runs[0]!.closeTime!.getTime()).toBeLessThanOrEqual(runs[1]!.startTime.getTime());
  });
});

describe('sync by a settings file', () => {
  const reported = (out: string) => JSON.parse(out) as { destination: string; runs: unknown[] };

  it('waits for the run after the one in progress, and reports that one', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    const held = gate();
    await linked.serving(async () => {
      await cli(['trigger', ...at(linked)]);
      await held.arrived;
      // The run in progress has already read, so it does not know of this user.
      sandbox.create('users');
      const { code, out } = await cli(['sync', '--json', ...at(linked)], {
        onTold: (told) => {
          if (/users: .*next/.test(told)) held.open();
        },
      });
      expect(reported(out)).toMatchObject({
        destination: linked.settings.destination,
        runs: [{ table: 'users', outcome: 'synced', rows: 21 }],
      });
      expect(code).toBe(0);
    }, holding(held));
    expect(await resultsOf(linked, 'users')).toHaveLength(2);
    await expectTruth(sandbox, linked.destination, ['users']);
  });

  it('exits with 1 if a table fails, after the others are synced', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh, severities: fullRefresh });
    await linked.serving(() => linked.run('users'));
    sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/another' });
    // A worker that had asked before would reuse the old answer for an hour.
    await linked.serving(async () => {
      const { code, out } = await cli(['sync', '--json', ...at(linked)]);
      expect(code).toBe(1);
      expect(reported(out).runs).toMatchObject([
        { table: 'severities', outcome: 'synced' },
        { table: 'users', outcome: 'failed', error: 'AccountMismatchError' },
      ]);
    });
  });

  it('says that no worker responds; if it is interrupted, the run waits for a worker', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    const interrupt = new AbortController();
    const { code, out, err } = await cli(['sync', ...at(linked)], {
      signal: interrupt.signal,
      onTold: (told) => {
        if (/worker .*users/.test(told)) interrupt.abort();
      },
    });
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(err).toContain('incident-io-source cancel');
    await linked.serving(async () => {
      const [run] = await resultsOf(linked, 'users');
      expect(run).toMatchObject({ rows: 20 });
    });
  });

  it('says that no worker responds even if a run was already waiting for one', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    await cli(['trigger', ...at(linked)]);
    await startedAfter(linked.schedule('users'), 0);
    const interrupt = new AbortController();
    const { code, out } = await cli(['sync', '--json', ...at(linked)], {
      signal: interrupt.signal,
      onTold: (told) => {
        if (/worker .*users/.test(told)) interrupt.abort();
      },
    });
    expect(code).toBe(130);
    // A script gets one JSON document however the command ends.
    expect(JSON.parse(out)).toMatchObject({ error: 'Interrupted' });
    await linked.serving(async () => {
      await startedAfter(linked.schedule('users'), 1);
      expect(await resultsOf(linked, 'users')).toHaveLength(2);
    });
  });

  it.each([
    [['--to', 'warehouse'], '--to'],
    [['--sync-method', 'full_refresh'], '--sync-method'],
    [['--give-up-after', '5'], '--give-up-after'],
  ])('refuses %j, which contradicts the settings, and triggers nothing', async (flags, named) => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    const { code, out, err } = await cli(['sync', ...flags, ...at(linked)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(named);
    expect((await linked.schedule('users').describe()).info.numActionsTaken).toBe(0);
  });
});

describe('resync', () => {
  it('makes a run in progress read everything, and changes nothing for readers until it commits', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { incidents: incremental });
    const folder = join(linked.destination, 'incidents');
    await linked.serving(() => linked.run('incidents'));
    const before = await readWithDeltaRs(folder);

    // Only a run that reads everything notices this.
    sandbox.remove('incidents', sandbox.idAt('incidents', 7));
    const held = gate();
    await linked.serving(async () => {
      await cli(['trigger', 'incidents', ...at(linked)]);
      await held.arrived;
      const resync = await cli(['resync', 'incidents', '--yes', '--json', ...at(linked)]);
      expect(resync).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(resync.out)).toEqual([{ table: 'incidents', triggered: 'buffered' }]);
      const meanwhile = await readWithDeltaRs(folder);
      expect(meanwhile.rows).toEqual(before.rows);
      held.open();
      await startedAfter(linked.schedule('incidents'), 2);
      const [, goingOn, after] = await resultsOf(linked, 'incidents');
      expect([goingOn!.fullRead, after!.fullRead]).toEqual([true, false]);
    }, holding(held));
    await expectTruth(sandbox, linked.destination, ['incidents']);
  });

  it('lets another account take the table', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    /** What link and apply do, because they know the account. */
    const remember = (account: string) =>
      linked.schedule('users').update((before) => {
        const [input] = before.action.args as [SyncTableInput];
        return {
          ...before,
          action: { ...before.action, args: [{ ...input, run: { ...input.run, account } }] },
        };
      });
    await linked.serving(() => linked.run('users'));
    sandbox.setIdentity({ dashboard_url: 'https://app.incident.io/another' });
    await linked.serving(async () => {
      await remember('https://app.incident.io/sandbox');
      await expect(linked.run('users')).rejects.toMatchObject({ cause: { type: 'AccountMismatchError' } });
      await cli(['resync', '--yes', ...at(linked)]);
      await linked.run('users');
    });
    expect((await linked.warehouse.readState(tableNamed('users')))?.account).toBe(
      'https://app.incident.io/another',
    );
  });

  it('changes nothing if there is no one to ask, or if a table has no schedule', async () => {
    const linked = await link(temporal, await smallSandbox(), {
      users: fullRefresh,
      severities: fullRefresh,
    });
    await linked.serving(() => linked.run('users'));
    const counter = async () => (await linked.warehouse.readState(tableNamed('users')))?.counter;
    const before = await counter();
    const asked = await cli(['resync', 'users', ...at(linked)]);
    expect(asked).toMatchObject({ code: 2, out: '' });
    expect(asked.err).toContain('--yes');
    await linked.schedule('severities').delete();
    const missing = await cli(['resync', '--yes', ...at(linked)]);
    expect(missing).toMatchObject({ code: 2, out: '' });
    expect(missing.err).toContain(scheduleId(linked.settings.connection, 'severities'));
    expect(missing.err).toContain('incident-io-source apply');
    expect(await counter()).toBe(before);
  });
});

describe('cancel', () => {
  /** What the command reports for each table. */
  async function cancelled(linked: Linked): Promise<unknown> {
    const { code, out, err } = await cli(['cancel', '--json', ...at(linked)]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return JSON.parse(out);
  }

  it('ends the run in progress and the one after it, and leaves nothing staged', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { incidents: incremental });
    await linked.serving(() => linked.run('incidents'));
    const { version } = await readWithDeltaRs(join(linked.destination, 'incidents'));
    const held = gate();
    sandbox.create('incidents');
    await linked.serving(
      async () => {
        await cli(['trigger', ...at(linked)]);
        await held.arrived;
        expect(await stagedIn(linked.destination)).toHaveLength(1);
        await cli(['trigger', ...at(linked)]);
        expect(await cancelled(linked)).toMatchObject([{ ended: { length: 2 }, unanswered: [] }]);
        expect(await stagedIn(linked.destination)).toEqual([]);
        expect(await cancelled(linked)).toEqual([{ table: 'incidents', ended: [], unanswered: [] }]);
      },
      () => ({
        commitSync: async () => {
          held.open();
          await held.pass();
          return untilCancelled();
        },
      }),
    );
    const status = JSON.parse((await cli(['status', '--json', ...at(linked)])).out) as unknown;
    expect(status).toMatchObject([{ last_run: { outcome: 'cancelled' }, rows: 300 }]);
    expect((await readWithDeltaRs(join(linked.destination, 'incidents'))).version).toBe(version);
  });

  it('ends a run whose request is never answered', async () => {
    const sandbox = await smallSandbox();
    sandbox.fault({ fault: { kind: 'stall' }, table: 'users' });
    const linked = await link(temporal, sandbox, { users: fullRefresh });
    await linked.serving(async () => {
      await cli(['trigger', ...at(linked)]);
      await expect
        .poll(() => sandbox.requests.some(({ table }) => table === 'users'), { timeout: 20_000 })
        .toBe(true);
      expect(await cancelled(linked)).toMatchObject([{ ended: { length: 1 }, unanswered: [] }]);
    });
  });

  it('reports a run without a worker to end it; it ends once there is one', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    await cli(['trigger', ...at(linked)]);
    const run = await startedAfter(linked.schedule('users'), 0);
    const { code, err } = await cli(['cancel', ...at(linked)]);
    expect(code).toBe(1);
    expect(err).toContain(run.workflowId);
    await linked.serving(async () => {
      await expect(resultOf(temporal.client, run)).rejects.toMatchObject({
        cause: { name: 'CancelledFailure' },
      });
    });
  });
});

describe('pause and resume', () => {
  it('keep the note, and do not keep trigger from starting a run', async () => {
    const linked = await link(temporal, await smallSandbox(), {
      users: fullRefresh,
      severities: fullRefresh,
    });
    const paused = async () =>
      Promise.all(
        ['users', 'severities'].map(async (table) => (await linked.schedule(table).describe()).state),
      );
    await cli(['resume', ...at(linked)]);
    expect(await paused()).toMatchObject([{ paused: false }, { paused: false }]);
    const { out } = await cli(['pause', 'users', '--note', 'we move', ...at(linked)]);
    expect(out).toBe('users: paused\n');
    expect(await paused()).toMatchObject([{ paused: true, note: 'we move' }, { paused: false }]);
    const status = await cli(['status', ...at(linked)]);
    expect(status.out).toContain('paused: users: we move');
    await linked.serving(() => linked.run('users'));
    expect((await cli(['resume', 'users', ...at(linked)])).out).toMatch(/^users: resumed, next run at 20/);
  });
});

describe('a table that cannot be written', () => {
  it('fails alone in resync', async () => {
    const linked = await link(temporal, await smallSandbox(), {
      users: fullRefresh,
      severities: fullRefresh,
    });
    const users = join(linked.destination, 'users');
    await mkdir(users, { recursive: true });
    await changeWithDeltaRs(users, { change: 'create' });
    const { code, out } = await cli(['resync', '--yes', '--json', ...at(linked)]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { table: 'severities', triggered: 'started' },
      { table: 'users', error: 'DestinationError' },
    ]);
    expect((await linked.schedule('users').describe()).info.numActionsTaken).toBe(0);
  });
});

describe('a table that has no schedule', () => {
  it.each(['trigger', 'pause', 'resume'])('fails alone in %s', async (command) => {
    const linked = await link(temporal, await smallSandbox(), {
      users: fullRefresh,
      severities: fullRefresh,
    });
    await linked.schedule('severities').delete();
    const { code, out } = await cli([command, '--json', ...at(linked)]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual([
      {
        table: 'severities',
        error: 'UsageError',
        message: expect.stringContaining(scheduleId(linked.settings.connection, 'severities')) as string,
        advice: expect.stringContaining('apply') as string,
      },
      expect.objectContaining({ table: 'users' }),
    ]);
    const { info, state } = await linked.schedule('users').describe();
    expect(command === 'trigger' ? info.numActionsTaken : state.paused).toBe(
      { trigger: 1, pause: true, resume: false }[command],
    );
  });
});

describe('an operating command', () => {
  it.each([
    [['trigger', 'incident'], /"incident"[^]* incidents\?/],
    [['pause', 'alerts'], /incident-io\.json [^]*alerts[^]*apply[^]*users/],
    [['pause', '--note', 'x'.repeat(1_001)], /1001 [^]*1000/],
    [['cancel', 'user'], /"user"[^]* users\?/],
  ])('refuses %j', async (argv, said) => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    const { code, err } = await cli([...argv, ...at(linked)]);
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });

  it('names a settings file that does not exist', async () => {
    const { code, err } = await cli(['status', '--settings', join(await temporaryFolder(), 'none.json')]);
    expect(code).toBe(2);
    expect(err).toContain('none.json');
  });

  it('names a Temporal server that does not answer', async () => {
    const linked = await link(temporal, await smallSandbox(), { users: fullRefresh });
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    onTestFinished(() => void (process.env['TEMPORAL_ADDRESS'] = temporal.address));
    const { code, err } = await cli(['trigger', ...at(linked)]);
    expect(code).toBe(1);
    expect(err).toContain('127.0.0.1:1');
  });
});

describe('two runs of one table at the same time', () => {
  it('leave every row once and equal to the API’s, whichever commits first', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { incidents: incremental });
    const stray = () =>
      sync(temporal, sandbox, linked.destination, {
        tables: ['incidents'],
        method: { syncMethod: 'incremental', incrementalField: 'updated_at' },
      });
    const change = (name: string) => {
      for (let index = 0; index < 300; index += 20) {
        sandbox.change('incidents', sandbox.idAt('incidents', index), { name });
      }
      sandbox.create('incidents');
    };
    // Both read everything, because there is no table yet.
    let held = gate();
    await linked.serving(
      async () => {
        for (const round of ['first', 'second', 'third']) {
          held = gate();
          const scheduled = linked.run('incidents');
          await held.arrived;
          change(round);
          expect(await stray()).toMatchObject([{ status: 'synced' }]);
          change(`${round} again`);
          held.open();
          await scheduled;
          await expectTruth(sandbox, linked.destination, ['incidents']);
        }
      },
      holding({ pass: () => held.pass() }),
    );
    expect(await stagedIn(linked.destination)).toEqual([]);
  });
});

describe('a commit that succeeded although its answer was lost', () => {
  it('is a success of its run, and the next run starts from its watermark', async () => {
    const sandbox = await smallSandbox();
    const linked = await link(temporal, sandbox, { incidents: incremental });
    let lost = 0;
    await linked.serving(
      async () => {
        const first = await linked.run('incidents');
        expect(first).toMatchObject({ version: 0, rows: 300 });
        sandbox.create('incidents');
        const second = await linked.run('incidents');
        expect(second).toMatchObject({ version: 1, rows: 301, fullRead: false });
      },
      (own) => ({
        async commitSync(input) {
          const outcome = await own.commitSync(input);
          if (outcome.status !== 'committed') return outcome;
          lost += 1;
          throw new Error('the answer was lost');
        },
      }),
    );
    expect(lost).toBe(2);
    await expectTruth(sandbox, linked.destination, ['incidents']);
    expect(await stagedIn(linked.destination)).toEqual([]);
  });
});
