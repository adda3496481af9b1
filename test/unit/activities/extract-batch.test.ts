import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Clients } from '../../../activities/clients.ts';
import { extractBatch } from '../../../activities/extract-batch.ts';
import { inputOf } from '../../../src/connections/runs/input.ts';
import { alerts } from '../../../src/tables/alerts.ts';
import { folderStore } from '../../../src/warehouse/store/folder-store.ts';
import { openWarehouse } from '../../../src/warehouse/open-warehouse.ts';
import { apiReplying, type Reply } from '../../helpers/api.ts';
import { setEnv } from '../../helpers/environment.ts';

/** Reads one batch of alerts from an API with these replies. */
async function batchFrom(
  reply: Reply,
  options: { readonly batchMs?: number; readonly stopping?: () => boolean } = {},
) {
  const { batchMs = 120_000, stopping = () => false } = options;
  const api = await apiReplying(reply);
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-batch-'));
  const warehouse = await openWarehouse(folderStore(folder), { destination: folder });
  onTestFinished(async () => {
    await warehouse.close();
    await rm(folder, { recursive: true, force: true });
  });
  setEnv({ BATCH_KEY: 'the-key-of-the-batches' });
  const source = { apiKey: { env: 'BATCH_KEY' }, baseUrl: api.baseUrl, account: 'unknown' };
  const { run } = inputOf(alerts, { ...source, giveUpAfterMinutes: 1 });
  const batch = extractBatch(
    {
      run: { ...run, chainId: 'run', limits: { ...run.limits, batchMs } },
      window: { id: 0, params: [] },
      startedAt: [],
    },
    {
      table: alerts,
      warehouse,
      clients: new Clients(),
      attempt: { signal: new AbortController().signal, waited: () => {}, waitsUntil: () => {} },
      stopping,
    },
  );
  return { batch, asked: api.asked };
}

/** Answers each cursor with the next one; without a page the API fails. */
function paging(pageOf: (number: number) => object | undefined): Reply {
  return (request, response) => {
    const after = new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('after') ?? '0';
    const number = Number(after) + 1;
    const page = pageOf(number);
    response
      .writeHead(page ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ...page, pagination_meta: { after: String(number) } }));
  };
}

it('gives up pages without a record that go on forever', async () => {
  const { batch, asked } = await batchFrom(paging(() => ({ alerts: [] })));
  await expect(batch).rejects.toMatchObject({
    name: 'UnexpectedResponseError',
    message: expect.stringContaining('/v2/alerts') as string,
  });
  // One of them is for the identity.
  expect(asked.length).toBeLessThanOrEqual(1_001);
});

it('does not hand on a cursor as progress before it has a row, unless the worker shuts down', async () => {
  const rowAt = 20;
  const reply = paging((number) => ({ alerts: number === rowAt ? [{ id: 'a' }] : [] }));
  const { batch } = await batchFrom(reply, { batchMs: 0 });
  expect(await batch).toMatchObject({ pages: rowAt, part: { rows: 1 }, next: { kind: 'more', after: '20' } });

  const stopped = await batchFrom(reply, { stopping: () => true });
  expect(await stopped.batch).toMatchObject({ pages: 1, next: { kind: 'more', after: '1' } });
});

it('fails after pages without a record when the API fails, so that the time without progress is counted', async () => {
  const { batch } = await batchFrom(paging((number) => (number > 5 ? undefined : { alerts: [] })));
  await expect(batch).rejects.toMatchObject({ name: 'ApiUnavailableError' });
});
