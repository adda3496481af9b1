import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { expectFailed, hasCursor, refuses, resultOf, worldOf } from '../../helpers/one-table.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();

describe('an API with a fault', () => {
  it.each([
    ['is not an object', [{ id: 'a' }, null], ['record 2']],
    ['lacks its key', [{ id: 'a' }, { title: 'b' }], ['record 2', 'id']],
    ['has something unusable for its key', [{ id: { of: 'a' } }], ['record 1', 'id']],
  ])('whose record %s fails the table at once, and the error names the record', async (_, alerts, named) => {
    const world = await worldOf(temporal);
    world.sandbox.fault({ fault: { kind: 'body', body: { alerts } }, table: 'alerts' });
    await expectFailed(world, await world.run(), 'RecordShapeError', 'alerts', ...named);
    expect(world.sandbox.requests.filter(({ table }) => table === 'alerts')).toHaveLength(1);
  });

  it('that stalls costs time, not rows', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    sandbox.fault({ fault: { kind: 'stall' }, table: 'alerts', times: 1 });
    sandbox.fault({ fault: { kind: 'stall' }, table: 'alerts', when: hasCursor, times: 1 });
    const { notes } = resultOf(await run({ requestTimeoutMs: 300 }));
    expect(notes).toEqual([expect.stringMatching(/^GET \/v2\/alerts: .*127\.0\.0\.1:\d+.*\b0\.3 s\b/)]);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that answers with HTML is tried again, and the progress says why', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    const mend = sandbox.fault({ fault: { kind: 'html', status: 200 }, table: 'alerts' });
    const seen: string[] = [];
    const outcome = await run({
      onProgress: (progress) => {
        for (const { retrying } of progress) if (retrying) seen.push(retrying.message);
        if (seen.length > 0) mend();
      },
    });
    resultOf(outcome);
    expect(new Set(seen)).toEqual(new Set([expect.stringMatching(/^GET \/v2\/alerts: 200 .*HTML/)]));
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it.each([429, 503])('that says with %i when to try again is not asked before then', async (status) => {
    const { sandbox, destination, run } = await worldOf(temporal);
    sandbox.fault({ fault: { kind: 'error', status, retryAfterSeconds: 3 }, table: 'alerts', times: 1 });
    resultOf(await run());
    const [refused, next] = sandbox.requests.filter(({ table }) => table === 'alerts');
    expect(refused?.status).toBe(status);
    expect(next!.at - refused!.at).toBeGreaterThanOrEqual(3_000);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that lasts for as long as a run may take without progress fails the table, and the error says how long', async () => {
    const world = await worldOf(temporal);
    world.sandbox.fault({ fault: refuses(500), table: 'alerts' });
    const outcome = await world.run({ giveUpAfterMinutes: 0.02 });
    await expectFailed(world, outcome, 'ApiUnavailableError', 'GET /v2/alerts: 500');
    expect(outcome).toHaveProperty('message', expect.stringMatching(/\b[\d.]+ minutes/));
  });

  it.each<[string, Fault, string]>([
    ['422 to a filter', refuses(422), 'FilterRejectedError'],
    ['404 to the first page', refuses(404), 'TableUnavailableError'],
    ['400', refuses(400), 'UnexpectedResponseError'],
    ['a redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/' }, 'UnexpectedResponseError'],
  ])('that answers with %s fails the table at once', async (_, fault, error) => {
    const world = await worldOf(temporal);
    world.sandbox.fault({ fault, table: 'alerts' });
    await expectFailed(world, await world.run(), error, 'GET /v2/alerts: ');
    expect(world.sandbox.requests.filter(({ table }) => table === 'alerts')).toHaveLength(1);
  });

  it.each([
    ['an object without the records', { other: [] }],
    ['something other than a list', { alerts: { id: 'a' } }],
    ['a list', []],
  ])('that answers with %s fails the table at once', async (_, body) => {
    const world = await worldOf(temporal);
    world.sandbox.fault({ fault: { kind: 'body', body }, table: 'alerts' });
    await expectFailed(world, await world.run(), 'UnexpectedResponseError', 'GET /v2/alerts: ');
    expect(world.sandbox.requests.filter(({ table }) => table === 'alerts')).toHaveLength(1);
  });
});
