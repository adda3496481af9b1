import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { WatchedSettings } from '../../../src/serving/watched-settings.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

type Written = { readonly connection: string; readonly [setting: string]: unknown };

async function folderOf(...connections: readonly Written[]) {
  const folder = join(await temporaryFolder(), 'connections');
  await mkdir(folder);
  const said: { readonly message: string; readonly facts: string }[] = [];
  const write = (name: string, { connection, ...changes }: Written) =>
    writeFile(join(folder, name), textOf(connection, changes));
  for (const one of connections) await write(`${one.connection}.json`, one);
  return {
    folder,
    said,
    write,
    open: (pool?: string) =>
      WatchedSettings.open([folder], pool, (_level, message, facts) => {
        said.push({ message, facts: JSON.stringify(facts) });
      }),
    remove: (name: string) => rm(join(folder, name)),
  };
}

function textOf(connection: string, changes: object): string {
  const apiKey = { env: 'INCIDENT_IO_API_KEY' };
  return JSON.stringify({
    version: 2,
    connection,
    apiKey,
    destination: `/data/${connection}`,
    tables: { users: {} },
    ...changes,
  });
}

const namesIn = (watched: WatchedSettings) => watched.list().map(({ connection }) => connection);

it('notices a file that is added, changed and deleted, and tells its listeners', async () => {
  const place = await folderOf({ connection: 'one' });
  const watched = await place.open();
  let told = 0;
  watched.onChange(() => (told += 1));
  await watched.look();
  expect({ told, names: namesIn(watched) }).toEqual({ told: 0, names: ['one'] });
  await place.write('two.json', { connection: 'two' });
  await watched.look();
  expect({ told, names: namesIn(watched) }).toEqual({ told: 1, names: ['one', 'two'] });
  await place.write('two.json', { connection: 'two', retention: '1d' });
  await watched.look();
  expect(watched.list()[1]).toMatchObject({ connection: 'two', retention: '1d' });
  await place.remove('two.json');
  await watched.look();
  // An editor that replaces a file makes it vanish for a moment, so only the second look counts.
  expect(namesIn(watched)).toEqual(['one', 'two']);
  await watched.look();
  expect(namesIn(watched)).toEqual(['one']);
});

it('keeps the earlier settings in force while a file has a mistake, says so once, and continues with the others', async () => {
  const place = await folderOf({ connection: 'one' }, { connection: 'two', retention: '1d' });
  const watched = await place.open();
  await writeFile(join(place.folder, 'two.json'), '{ "version": 2, "connection": ');
  await writeFile(join(place.folder, 'three.json'), '[]');
  await place.write('four.json', { connection: 'four' });
  await watched.look();
  await watched.look();
  expect(namesIn(watched)).toEqual(['one', 'two', 'four']);
  expect(watched.list()[1]).toMatchObject({ retention: '1d' });
  const mistakes = place.said.filter(({ facts }) => facts.includes('error'));
  expect(
    mistakes.map(({ facts }) => /(\w+)\.json/.exec(facts)?.[1]).sort((a, b) => (a! < b! ? -1 : 1)),
  ).toEqual(['three', 'two']);
  await place.write('two.json', { connection: 'two', retention: '3d' });
  await watched.look();
  expect(watched.list()[1]).toMatchObject({ retention: '3d' });
});

it('serves the older of two files with the same connection or destination', async () => {
  const place = await folderOf({ connection: 'b' });
  const watched = await place.open();
  // Sorted by name, they would come first.
  await place.write('a1.json', { connection: 'b', destination: '/data/other' });
  await place.write('a2.json', { connection: 'c', destination: '/data/b' });
  await watched.look();
  expect(watched.list()).toMatchObject([{ connection: 'b', destination: '/data/b' }]);
  const said = place.said.map(({ facts }) => facts).join('\n');
  expect(said).toMatch(/a1\.json: the connection b is already served by the settings in [^ ]*b\.json/);
  expect(said).toMatch(/a2\.json: \/data\/b is already served by the settings in [^ ]*b\.json/);
  await place.remove('b.json');
  await watched.look();
  await watched.look();
  expect(new Set(namesIn(watched))).toEqual(new Set(['b', 'c']));
});

it('keeps a file’s own connection if its change asks for that of another file', async () => {
  const place = await folderOf({ connection: 'one' }, { connection: 'two' });
  const watched = await place.open();
  await place.write('one.json', { connection: 'two', destination: '/data/new' });
  await watched.look();
  expect(watched.list()).toMatchObject([
    { connection: 'one', destination: '/data/one' },
    { connection: 'two', destination: '/data/two' },
  ]);
});

it('keeps the settings in force if all files are gone at once, as when a volume is missing', async () => {
  const place = await folderOf({ connection: 'one' }, { connection: 'two' });
  const watched = await place.open();
  await rm(place.folder, { recursive: true });
  await watched.look();
  await expect(watched.look()).rejects.toMatchObject({ code: 'ENOENT' });
  expect(namesIn(watched)).toEqual(['one', 'two']);
});

it('serves only the connections of its pool', async () => {
  const place = await folderOf(
    { connection: 'one', pool: 'eu' },
    { connection: 'two', pool: 'us' },
    { connection: 'three' },
  );
  expect(namesIn(await place.open('eu'))).toEqual(['one']);
  await expect(place.open('nowhere')).rejects.toThrow(UsageError);
});

it('refuses to start without a single connection, and says what is wrong with the first file', async () => {
  const place = await folderOf({ connection: 'one', retention: 'forever' });
  await expect(place.open()).rejects.toThrow(/one\.json.*retention/);
  await expect((await folderOf()).open()).rejects.toThrow(UsageError);
});
