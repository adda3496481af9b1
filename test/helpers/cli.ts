import { Readable, Writable } from 'node:stream';
import { run } from '../../src/cli/run.ts';
import type { Output } from '../../src/cli/session.ts';

/** What a command line printed, and its exit code. */
export type Finished = { readonly code: number; readonly out: string; readonly err: string };

export type CliOptions = {
  readonly stdin?: string;
  /** The width of the terminal that standard output is; if left out, it is not a terminal. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Called with everything on standard output so far, whenever there is more. */
  readonly onOutput?: (out: string) => void;
  /** The same for standard error. */
  readonly onTold?: (err: string) => void;
};

/** Runs a command line in this process, the way the program does. */
export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const { stdin = '', columns, signal = new AbortController().signal, onOutput, onTold } = options;
  let out = '';
  let err = '';
  const stdout: Output = Object.assign(
    collector((text) => {
      out += text;
      onOutput?.(out);
    }),
    columns === undefined ? {} : { isTTY: true, columns },
  );
  const stderr = collector((text) => {
    err += text;
    onTold?.(err);
  });
  const code = await run(argv, { stdin: Readable.from([stdin]), stdout, stderr, signal });
  return { code, out, err };
}

function collector(take: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      take(text);
      done();
    },
  });
}
