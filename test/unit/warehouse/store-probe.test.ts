import { describe, expect, it } from 'vitest';
import { DestinationError } from '../../../src/errors.ts';
import { openStore } from '../../../src/warehouse/store/open-store.ts';
import { probeStore } from '../../../src/warehouse/store/probe.ts';
import { awsVariables, setEnv } from '../../helpers/environment.ts';
import { memoryS3, type Quirks } from '../../helpers/memory-s3.ts';
import { serve } from '../../helpers/s3-stand-in.ts';

async function probed(destination: string): Promise<unknown> {
  setEnv(awsVariables);
  return probeStore(await openStore(destination), destination).then(
    () => 'accepted',
    (error: unknown) => error,
  );
}

describe('a store is accepted, and nothing is left in it', () => {
  it.each<[Quirks, requestKind: string]>([
    [{}, 'delete many'],
    [{ deleteMany: 'needs MD5', startAfter: 'refused' }, 'delete'],
    [{ deleteMany: 'unknown', startAfter: 'ignored', lists: 'unsorted' }, 'delete'],
  ])('with %j', async (quirks, kind) => {
    const { destination, names, requests } = await memoryS3(quirks);
    expect(await probed(destination)).toBe('accepted');
    expect(names()).toEqual([]);
    // The other way of deleting many files is used only where the first is refused.
    expect(requests.get(kind)).toBeGreaterThan(0);
  });
});

describe('a store is refused, and no file of the probe is left in it', () => {
  it.each<[Quirks, RegExp]>([
    [{ condition: 'ignored' }, /second writer.*\b8 of 8 writers/],
    [{ condition: 'raced' }, /second writer.*\b[2-8] of 8 writers/],
    [{ condition: 501 }, /second writer.*If-None-Match \(NotImplemented, 501\)/],
    [{ condition: 400 }, /second writer.*If-None-Match \(InvalidArgument, 400\)/],
    [{ multipart: 'unknown' }, /s3:PutObject on s3:\/\/bucket\/tables\/_staging\S+ \(NotImplemented, 501\)/],
    [{ multipart: 'loses the content' }, /in parts/],
    [{ lists: 'nothing' }, /does not list/],
    [{ lists: 'no folders' }, /folders/],
  ])('with %j', async (quirks, problem) => {
    const { destination, names } = await memoryS3(quirks);
    const error = await probed(destination);
    expect(error).toBeInstanceOf(DestinationError);
    expect((error as Error).message).toMatch(problem);
    expect(names()).toEqual([]);
  });
});

it.each<[Quirks, RegExp]>([
  [{ deletes: 'nothing' }, /deleted/],
  [{ deletes: 'denied' }, /s3:DeleteObject on s3:\/\/bucket\/tables \(AccessDenied, 403\)/],
])('a store that deletes nothing is refused: %j', async (quirks, problem) => {
  const error = await probed((await memoryS3(quirks)).destination);
  expect(error).toBeInstanceOf(DestinationError);
  expect((error as Error).message).toMatch(problem);
});

it('stops at the first name that two writers got', async () => {
  const { destination, requests } = await memoryS3({ condition: 'raced' });
  await probed(destination);
  expect(requests.get('put if absent')).toBe(8);
});

it.each(['', '{}', '<html></html>', 'ok'])(
  'a server that answers 200 and %j to everything is refused',
  async (body) => {
    const url = await serve(async (request, response) => {
      request.resume();
      await new Promise((resolve) => response.end(body, () => resolve(undefined)));
    });
    const error = await probed(`s3://bucket/tables?endpoint=${url}`);
    expect(error).toBeInstanceOf(DestinationError);
    expect((error as Error).message).toContain('not a store');
  },
);
