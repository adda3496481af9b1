/** Bytes. */
const shortPiece = 64;

/** A buffer of lines that grows at its end. */
export class Lines {
  /** Bytes in use. Set it back to drop what was added last. */
  length = 0;
  #bytes = Buffer.allocUnsafe(2 ** 16);

  /** The bytes in use. Lines added after `length` was set back overwrite them. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  copy(source: Buffer, from: number, to: number): void {
    this.#makeRoom(to - from);
    const target = this.#bytes;
    const { length } = this;
    // Copying a short piece here takes less time than the call does.
    if (to - from > shortPiece) source.copy(target, length, from, to);
    else for (let i = from; i < to; i += 1) target[length + i - from] = source[i]!;
    this.length += to - from;
  }

  addByte(byte: number): void {
    this.#makeRoom(1);
    this.#bytes[this.length] = byte;
    this.length += 1;
  }

  add(text: string): void {
    // UTF-8 takes at most three bytes per UTF-16 unit.
    this.#makeRoom(text.length * 3);
    this.length += this.#bytes.write(text, this.length);
  }

  #makeRoom(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe((this.length + more) * 2);
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
  }
}
