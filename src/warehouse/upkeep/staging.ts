import {
  probePrefix,
  spillFolder,
  stagingFolder,
  type Store,
  type StoredObject,
  writesFolder,
} from '../store/store.ts';

/**
 * Deletes staging that was last written to before a time, and what killed processes left behind.
 * @returns the number of runs whose staging was deleted
 */
export async function sweepStaged(store: Store, table: string, oldest: number): Promise<number> {
  const folder = `${stagingFolder}/${table}/`;
  const runs = await sweep(store, folder, oldest);
  // With a bucket, files that are not uploaded yet are in a folder of this machine.
  if (store.kind === 'bucket') await sweep(store.local, folder, oldest);
  await sweep(store, probePrefix, oldest);
  await sweep(store.local, `${writesFolder}/`, oldest);
  await sweep(store.local, `${spillFolder}/`, oldest);
  return runs;
}

/** Deletes each folder under the prefix in which everything is older than a time; returns how many. */
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
