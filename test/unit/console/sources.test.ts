import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Sources } from '../../../src/console/sources.ts';

async function folderWith(...files: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-sources-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), '{}');
  }
  return folder;
}

it('shows an empty folder as one without connections, and then the file that was linked there', async () => {
  const folder = await folderWith();
  const sources = new Sources([folder]);
  expect(await sources.all()).toEqual([]);
  const file = sources.newFile('prod');
  expect(file).toBe(join(folder, 'incident-io.json'));
  await writeFile(file, '{}');
  expect(await sources.added(file)).toBe('incident-io');
  expect(sources.newFile('prod')).toBe(join(folder, 'prod.json'));
});

it('gives files with the same name in several folders different ids, the same ones each time', async () => {
  const folder = await folderWith('a/incident-io.json', 'b/incident-io.json', 'b/other.json');
  const sources = new Sources([join(folder, 'a/incident-io.json'), join(folder, 'b')]);
  const ids = (await sources.all()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[2]).toBe('other');
  expect((await sources.all()).map(({ id }) => id)).toEqual(ids);
  expect(await sources.file(ids[1]!)).toBe(join(folder, 'b/incident-io.json'));
});

it('does not give access to a file that it was not given', async () => {
  const folder = await folderWith('incident-io.json', 'elsewhere/secret.json');
  const sources = new Sources([join(folder, 'incident-io.json')]);
  for (const id of ['elsewhere/secret', '../secret', 'secret', '']) {
    await expect(sources.file(id)).rejects.toMatchObject({ name: 'UsageError' });
  }
});
