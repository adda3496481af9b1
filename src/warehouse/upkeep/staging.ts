import {
  probePrefix,
  spillFolder,
  stagingFolder,
  type Store,
  type StoredObject,
  writesFolder,
} from '../store/store.ts';

/**
 * Deletes staging that nobody wrote to since a time, and what processes that died left on the way.
 * @returns how many runs' staging went
 */
export async function sweepStaged(store: Store, table: string, oldest: number): Promise<number> {
  const folder = `${stagingFolder}/${table}/`;
  const runs = await sweep(store, folder, oldest);
  // Of a bucket what is on its way lies in a folder of this machine.
  if (store.kind === 'bucket') await sweep(store.local, folder, oldest);
  await sweep(store, probePrefix, oldest);
  await sweep(store.local, `${writesFolder}/`, oldest);
  await sweep(store.local, `${spillFolder}/`, oldest);
  return runs;
}

/** Deletes what lies in each folder under the prefix if nobody wrote to it since; how many folders went. */
async function sweep(store: Store, prefix: string, oldest: number): Promise<number> {
  const folders = new Map<string, StoredObject[]>();
  for (const object of await store.list(prefix)) {
    const name = object.key.slice(prefix.length).split('/')[0]!;
    const known = folders.get(name);
    if (known) known.push(object);
    else folders.set(name, [object]);
  }
  let swept = 0;
  for (const [name, objects] of folders) {
    if (objects.some(({ writtenAt }) => writtenAt >= oldest)) continue;
    await store.delete(objects.map(({ key }) => key));
    await store.deleteAll(`${prefix}${name}/`);
    swept += 1;
  }
  return swept;
}
