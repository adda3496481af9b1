import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { incidentPage } from '../test/helpers/incident-pages.ts';

/**
 * Pages of different incidents in one file, made in advance: making them takes longer than ingesting them, and a few
 * repeated pages would compress better than those of a real account.
 */
export class StoredPages {
  readonly #file: FileHandle;
  /** Where each page ends in the file. */
  readonly #ends: readonly number[];

  private constructor(file: FileHandle, ends: readonly number[]) {
    this.#file = file;
    this.#ends = ends;
  }

  static async write(folder: string, pages: number): Promise<void> {
    const file = await open(join(folder, 'pages'), 'wx');
    const ends: number[] = [];
    let end = 0;
    for (let page = 0; page < pages; page += 1) {
      const bytes = incidentPage(page);
      await file.appendFile(bytes);
      end += bytes.byteLength;
      ends.push(end);
    }
    await file.close();
    await writeFile(join(folder, 'ends.json'), JSON.stringify(ends));
  }

  static async open(folder: string): Promise<StoredPages> {
    const ends = JSON.parse(await readFile(join(folder, 'ends.json'), 'utf8')) as number[];
    return new StoredPages(await open(join(folder, 'pages')), ends);
  }

  async read(page: number): Promise<Buffer> {
    const start = this.#ends[page - 1] ?? 0;
    const bytes = Buffer.allocUnsafe(this.#ends[page]! - start);
    await this.#file.read(bytes, 0, bytes.byteLength, start);
    return bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
