import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { hideSecrets } from '../secrets.ts';

/** Bytes that are read and written at once. */
const chunkBytes = 256 * 1024;

/**
 * Standard output for a platform: one JSON object per line, and nothing else. Each write waits for the one before and
 * for the reader, so lines never mix and memory stays flat.
 */
export class LineOutput {
  readonly #stream: Writable;
  #chunk: Buffer | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Writes a message, without any API key in it. Rejects if the reader is gone. */
  async message(message: object): Promise<void> {
    await this.#next(() => this.#write(`${hideSecrets(JSON.stringify(message))}\n`));
  }

  /** Writes a document over many lines: Meltano reads what a tap discovers line by line, and a line of at most 64 KiB. */
  async document(document: object): Promise<void> {
    await this.#next(() => this.#write(`${hideSecrets(JSON.stringify(document, undefined, 2))}\n`));
  }

  /** The same as `message` for callers that cannot wait: if it fails, the next message that is waited for fails too. */
  post(message: object): void {
    this.message(message).catch(() => undefined);
  }

  /** Copies the lines of a file. The stream must not keep what it is given: the next bytes come in the same buffer. */
  async file(path: string): Promise<void> {
    await this.#next(async () => {
      // A buffer for each read made the garbage collector take a fifth of the processor time.
      const chunk = (this.#chunk ??= Buffer.allocUnsafeSlow(chunkBytes));
      const file = await open(path);
      try {
        for (;;) {
          const { bytesRead } = await file.read(chunk, 0, chunkBytes);
          if (bytesRead === 0) return;
          await this.#write(chunk.subarray(0, bytesRead));
        }
      } finally {
        await file.close();
      }
    });
  }

  /** Resolves once everything is written. */
  async flush(): Promise<void> {
    await this.#last;
  }

  #next(write: () => Promise<void>): Promise<void> {
    // After a failure nothing more is written, and everything that waits fails.
    this.#last = this.#last.then(write);
    return this.#last;
  }

  #write(text: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}
