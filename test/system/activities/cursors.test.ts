import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { apiReplying } from '../../helpers/api.ts';
import { readWithDeltaRs } from '../../helpers/delta-reader.ts';
import { expectFailed, hasCursor, refuses, resultOf, worldOf } from '../../helpers/one-table.ts';
import { sync, temporaryFolder } from '../../helpers/sync.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import { expectTruth } from '../../helpers/truth.ts';

quietRuntime();
const temporal = await connectToTestServer();

describe('a cursor', () => {
  it.each<[string, Fault, string]>([
    ['comes back', { kind: 'repeat-cursor' }, 'cursor'],
    ['is unknown (404)', refuses(404), 'GET /v2/alerts: 404'],
    ['is refused (422)', refuses(422), 'GET /v2/alerts: 422'],
  ])('that %s has its window read again, at most three times', async (_, fault, reason) => {
    const world = await worldOf(temporal);
    const { sandbox, destination, run } = world;
    const mend = sandbox.fault({ fault, table: 'alerts', when: hasCursor });
    await expectFailed(world, await run(), 'CursorRejectedError', 'alerts', '4 times', reason);
    mend();

    sandbox.fault({ fault, table: 'alerts', when: hasCursor, times: 3 });
    const { notes, read } = resultOf(await run());
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes) expect(note).toContain(reason);
    expect(read.rows).toBeGreaterThan(220);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that leads back to an earlier batch does not loop forever', async () => {
    const { sandbox, destination, run } = await worldOf(temporal);
    const first = sandbox.idAt('alerts', 49);
    const third = sandbox.idAt('alerts', 149);
    sandbox.fault({
      fault: { kind: 'repeat-cursor', after: first },
      table: 'alerts',
      when: ({ params }) => params.get('after') === third,
      times: 1,
    });
    const { notes, read } = resultOf(await run({ batchRows: 50 }));
    expect(read.batches).toBeGreaterThanOrEqual(5);
    expect(notes).toEqual([expect.stringContaining('cursor')]);
    await expectTruth(sandbox, destination, ['alerts']);
  });

  it('that is not text fails the table, because it is not the end of the list', async () => {
    const world = await worldOf(temporal);
    const page = { alerts: [{ id: 'a' }], pagination_meta: { after: 5 } };
    world.sandbox.fault({ fault: { kind: 'body', body: page }, table: 'alerts' });
    await expectFailed(world, await world.run(), 'UnexpectedResponseError', 'GET /v2/alerts', 'cursor');
  });
});

describe('the end of the paging', () => {
  /** An API with these pages of alerts, by the cursor in the request. */
  const pagesOf = (pages: { readonly [after: string]: object }) =>
    apiReplying((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
      const body =
        pathname === '/v1/identity'
          ? { identity: { name: 'key', dashboard_url: 'https://app.incident.io/a', roles: [] } }
          : pages[searchParams.get('after') ?? ''];
      response
        .writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(body ?? {}));
    });

  it.each([
    ['no after', {}],
    ['an after that is null', { pagination_meta: { after: null, page_size: 50 } }],
    ['an after that is empty', { pagination_meta: { after: '', page_size: 50 } }],
    ['no pagination_meta', undefined],
    ['a pagination_meta that is null', { pagination_meta: null }],
  ])('is %s, but not a page without rows', async (_, end) => {
    const { baseUrl } = await pagesOf({
      '': { alerts: [{ id: 'a' }], pagination_meta: { after: 'x' } },
      x: { alerts: [], pagination_meta: { after: 'y' } },
      y: { alerts: [], pagination_meta: { after: 'z' } },
      z: { alerts: [{ id: 'b' }], ...end },
    });
    const destination = await temporaryFolder();
    const api = { url: baseUrl, key: 'key' };
    const [outcome] = await sync(temporal, api, destination, { tables: ['alerts'] });
    const { read } = resultOf(outcome);
    expect(read).toMatchObject({ pages: 4, rows: 2 });
    expect((await readWithDeltaRs(join(destination, 'alerts'))).rows.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});
