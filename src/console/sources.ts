import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { settingsFilesIn } from '../settings/files.ts';
import { defaultSettingsFile } from '../settings/settings.ts';

/** A connection's settings file, with its id in the paths of the API. */
export type SourceFile = { readonly id: string; readonly file: string };

/** The settings files that the console shows: those it was given, and new ones next to them. */
export class Sources {
  readonly #named: readonly string[];
  readonly #linked = new Set<string>();
  /** Where the settings of a new connection are written. */
  readonly folder: string;

  /** @param named files and folders; if there are none, `incident-io.json`, which need not exist yet */
  constructor(named: readonly string[]) {
    this.#named = named;
    const [first = defaultSettingsFile] = named;
    const isFolder = existsSync(first) && statSync(first).isDirectory();
    this.folder = resolve(isFolder ? first : dirname(first));
  }

  async all(): Promise<SourceFile[]> {
    const paths =
      this.#named.length > 0 ? this.#named : [defaultSettingsFile].filter((one) => existsSync(one));
    const files: string[] = [];
    for (const path of paths)
      if (!(await isFolderWithoutSettings(path))) files.push(...(await settingsFilesIn([path])));
    const linked = [...this.#linked].filter((file) => existsSync(file));
    return withIds([...new Set([...files, ...linked].map((file) => resolve(file)))]);
  }

  /** Throws `UsageError` if no source has this id. */
  async file(id: string): Promise<string> {
    const found = (await this.all()).find((source) => source.id === id);
    if (found) return found.file;
    throw new UsageError(
      `There is no source ${JSON.stringify(id)}.`,
      'It may have been unlinked: look at the list.',
    );
  }

  /** The file for a new connection: `incident-io.json` if that is free, as for `link`, otherwise one with its name. */
  newFile(connection: string): string {
    const first = join(this.folder, defaultSettingsFile);
    return existsSync(first) ? join(this.folder, `${connection}.json`) : first;
  }

  async added(file: string): Promise<string> {
    this.#linked.add(file);
    return (await this.all()).find((source) => source.file === resolve(file))!.id;
  }
}

/** A mistake for other commands; here, the first connection has yet to be linked. */
async function isFolderWithoutSettings(path: string): Promise<boolean> {
  if (!existsSync(path) || !statSync(path).isDirectory()) return false;
  return !(await readdir(path)).some((name) => name.endsWith('.json'));
}

function withIds(files: readonly string[]): SourceFile[] {
  const names = files.map((file) => basename(file, '.json'));
  return files.map((file, index) => {
    const name = names[index]!;
    const isOnly = names.indexOf(name) === names.lastIndexOf(name);
    return {
      id: isOnly ? name : `${name}~${createHash('sha256').update(file).digest('hex').slice(0, 8)}`,
      file,
    };
  });
}
