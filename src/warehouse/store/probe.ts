import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DestinationError, SourceError } from '../../errors.ts';
import { sideBySide } from '../side-by-side.ts';
import { probePrefix, stagingFolder, type Store, writesFolder } from './store.ts';

/** How many writers race for a name: as many as `sideBySide` starts at once. */
const writers = 8;
/** How many names they race for. */
const races = { trusted: 6, other: 12 };
/**
 * Bytes that each of them writes: more than a server reads before it looks whether the name is free, and enough to take
 * it some time.
 */
const racedBytes = 32 * 2 ** 10;

const useAnother = 'Use another store, such as AWS S3 or Cloudflare R2, or a folder on a local disk.';

/**
 * Tries everything that a table needs during its life, before anything depends on it: that one of several writers gets
 * a name, and reading, replacing, listing, uploading in parts and deleting. It leaves nothing behind. A store that
 * passes may still lose commits under other loads: a probe can only find faults.
 * @param destination for messages
 *
 * Throws `DestinationError` for a store that cannot hold tables, and the store's own errors.
 */
export async function probeStore(store: Store, destination: string): Promise<void> {
  const prefix = `${probePrefix}${randomUUID()}/`;
  const files = { one: `${prefix}file-1`, two: `${prefix}file-2`, three: `${prefix}file-3` };
  const raced = numbersTo(store.trusted ? races.trusted : races.other).map((race) => `${prefix}race-${race}`);
  const trials = [
    () => tryReplacing(store, files.one),
    () => tryReplacing(store, files.two),
    () => tryUpload(store, files.three),
    () => tryListing(store, prefix, Object.values(files)),
    () => tryDeleting(store, prefix, [[files.one], [files.two, files.three]]),
    ...raced.map((key) => () => tryRace(store, key)),
  ];
  await explained(destination, async () => {
    await assertAnswers(store, destination);
    try {
      for (const trial of trials) {
        const problem = await trial();
        if (problem !== undefined) {
          throw new DestinationError(`The destination ${destination} ${problem}.`, useAnother);
        }
      }
    } catch (error) {
      // The first failure is the one to report. Upkeep deletes after a week what cannot be deleted now.
      const everything = [...Object.values(files), ...raced];
      await Promise.allSettled([store.delete(everything).then(() => store.deleteAll(prefix))]);
      throw error;
    }
    await store.deleteAll(prefix);
  });
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/**
 * Whether the destination can be used now: a folder is written to, since one that is read-only looks healthy to a
 * reader; a bucket is only read, since every write would leave another version in a versioned bucket.
 * Throws as `probeStore` does.
 */
export async function assertReachable(store: Store, destination: string): Promise<void> {
  await explained(destination, async () => {
    await assertAnswers(store, destination);
    if (store.kind === 'bucket') return;
    const key = `${probePrefix}${randomUUID()}`;
    await store.writeIfAbsent(key, Buffer.from('probe'));
    await store.delete([key]);
  });
}

async function assertAnswers(store: Store, destination: string): Promise<void> {
  if ((await store.read(`${probePrefix}none`)) === undefined) return;
  throw new DestinationError(
    `The destination ${destination} returns content for an object that does not exist, so it is not a store.`,
    'Check the endpoint: another server, or a proxy in front of the store, seems to answer there.',
  );
}

/** Wraps errors of the operating system, which do not name the destination and which callers do not handle. */
async function explained(destination: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new DestinationError(
      `The destination ${destination} cannot be written to: ${error instanceof Error ? error.message : String(error)}.`,
      'Name a folder that exists or can be created, on a disk with free space, where this user may write.',
      { cause: error },
    );
  }
}

/** What is wrong with the store, as the end of a sentence. */
type Problem = string | undefined;

async function tryReplacing(store: Store, key: string): Promise<Problem> {
  for (const content of ['first', 'second']) {
    await store.write(key, Buffer.from(content));
    if ((await store.read(key))?.toString() !== content) return 'does not return what was just written to it';
  }
  return undefined;
}

async function tryRace(store: Store, key: string): Promise<Problem> {
  const contents = numbersTo(writers).map((writer) => Buffer.alloc(racedBytes, `writer ${writer} `));
  const gate = startingGate(writers);
  const won = await sideBySide(contents, async (content) => {
    try {
      return await store.writeIfAbsent(key, content, gate.wait);
    } finally {
      gate.open();
    }
  });
  const winners = contents.filter((_, writer) => won[writer]);
  if (winners.length > 1) {
    return `does not keep a second writer from replacing a file: ${winners.length} of ${writers} writers got one name, so commits would be lost`;
  }
  if (winners.length === 0) return 'does not let any writer create a file';
  return winners[0]!.equals((await store.read(key)) ?? Buffer.of())
    ? undefined
    : 'does not keep what the only writer of a file wrote';
}

/**
 * Holds its callers until all of them have arrived, or it is opened. Otherwise a busy machine would send one request
 * after another, and a store that checks first and writes later would pass.
 */
function startingGate(count: number): { readonly wait: () => Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  let missing = count;
  const wait = () => {
    missing -= 1;
    if (missing === 0) open();
    return opened;
  };
  return { wait, open };
}

async function tryUpload(store: Store, key: string): Promise<Problem> {
  const scratch = await store.local.scratch(writesFolder);
  try {
    const file = join(scratch, 'file');
    await writeFile(file, 'uploaded');
    await store.upload(key, file, { inParts: true });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return (await store.read(key))?.toString() === 'uploaded'
    ? undefined
    : 'does not return what was uploaded to it in parts';
}

async function tryListing(store: Store, prefix: string, keys: readonly string[]): Promise<Problem> {
  const isListed = async (expected: readonly string[], after?: string) => {
    const found = await store.list(prefix, after === undefined ? {} : { after });
    return found.map(({ key }) => key).join() === expected.join();
  };
  if (!(await isListed(keys))) return 'does not list what was just written to it';
  if (!(await isListed(keys.slice(1), keys[0]))) return 'does not list the files after a given name';
  if (!(await store.folders()).includes(stagingFolder)) return 'does not list its folders';
  return undefined;
}

async function tryDeleting(
  store: Store,
  prefix: string,
  keys: readonly (readonly string[])[],
): Promise<Problem> {
  for (const some of keys) await store.delete(some);
  return (await store.list(prefix)).length === 0 ? undefined : 'still lists files after they were deleted';
}
