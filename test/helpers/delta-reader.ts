import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { lock } from 'proper-lockfile';

import { readerAt } from './bucket.ts';

const run = promisify(execFile);
const project = fileURLToPath(new URL('../..', import.meta.url));
const environment = join(project, '.venv');
const packages = ['deltalake==1.6.6', 'polars==2.1.0', 'pyarrow==26.0.1'];

/** A table as delta-rs reads it. 64-bit integers are decimal text, timestamps RFC 3339 text with microseconds. */
export type DeltaRsTable = {
  readonly version: number;
  /** Sorted by the key in the request, `id` by default. */
  readonly rows: { readonly [column: string]: unknown }[];
  readonly schema: {
    readonly name: string;
    readonly type: unknown;
    readonly nullable: boolean;
    readonly metadata: { readonly [property: string]: unknown };
  }[];
  /** The number of data files. */
  readonly files: number;
  readonly configuration: { readonly [property: string]: string };
  readonly name: string | null;
  readonly description: string | null;
};

/** What another writer does to a table. */
export type DeltaRsChange =
  | { readonly change: 'optimize' | 'checkpoint' | 'vacuum' }
  /** Appends every row again. */
  | { readonly change: 'append' }
  | { readonly change: 'delete'; readonly predicate: string }
  | {
      readonly change: 'update';
      readonly predicate: string;
      readonly updates: { readonly [column: string]: string };
    }
  | { readonly change: 'restore'; readonly version: number }
  | { readonly change: 'property'; readonly properties: { readonly [name: string]: string } }
  /** Creates a table that is not ours, with the text columns `id` and `kind`. */
  | { readonly change: 'create' };

/** What to read: by default all rows of the newest version. */
export type DeltaRsRead = {
  readonly version?: number;
  /** The columns to sort the rows by. */
  readonly key?: readonly string[];
  /** Only rows with this value, so that delta-rs skips files by their statistics. */
  readonly where?: readonly [column: string, value: string | number | boolean | { readonly long: string }];
};

/** Reads a table with delta-rs, which shares no code with the product. */
export async function readWithDeltaRs(tableFolder: string, read: DeltaRsRead = {}): Promise<DeltaRsTable> {
  return (await ask({ ...readerAt(tableFolder), ...read })) as DeltaRsTable;
}

/** The rows of a table, sorted by id, with all columns, as Polars reads them. */
export async function readWithPolars(tableFolder: string): Promise<Pick<DeltaRsTable, 'rows'>> {
  return (await ask({ ...readerAt(tableFolder), polars: true })) as Pick<DeltaRsTable, 'rows'>;
}

/** Changes a table with delta-rs, as another tool would; returns the version that it made. */
export async function changeWithDeltaRs(tableFolder: string, change: DeltaRsChange): Promise<number> {
  return ((await ask({ ...readerAt(tableFolder), ...change })) as { version: number }).version;
}

type Reader = { readonly child: ChildProcessWithoutNullStreams; readonly lines: Interface };
let reader: Promise<Reader> | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** One request at a time, because an answer does not say to which request it belongs. */
function ask(request: object): Promise<unknown> {
  const answer = turn.then(async () => {
    reader ??= startReader();
    const { child, lines } = await reader;
    const answered = nextLine(child, lines);
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const result = JSON.parse(await answered) as { error?: string };
    if (result.error !== undefined) throw new Error(result.error);
    return result;
  });
  turn = answer.catch(() => undefined);
  return answer;
}

function nextLine(child: ChildProcessWithoutNullStreams, lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('The Python process with delta-rs ended.'));
    child.once('exit', ended);
    lines.once('line', (line) => {
      child.off('exit', ended);
      resolve(line);
    });
  });
}

async function startReader(): Promise<Reader> {
  const python = await ensureEnvironment();
  // It ends when its standard input ends, which is when this process ends.
  const child = spawn(python, [fileURLToPath(new URL('delta-reader.py', import.meta.url))]);
  child.stderr.pipe(process.stderr);
  child.unref();
  return { child, lines: createInterface(child.stdout) };
}

/** The Python of the tests' environment, which is created if it is missing. Test files run side by side: one creates it. */
export async function ensureEnvironment(): Promise<string> {
  const python = join(environment, 'bin', 'python');
  const done = join(environment, packages.join('_'));
  if (await exists(done)) return python;
  // A process tells its locks apart by this path: the S3 server has another one.
  const release = await lock(environment, {
    realpath: false,
    lockfilePath: join(project, 'node_modules', '.python-environment.lock'),
    stale: 60_000,
    retries: { retries: 600, minTimeout: 200, maxTimeout: 200 },
  });
  try {
    if (await exists(done)) return python;
    await run('python3', ['-m', 'venv', environment]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
    await writeFile(done, '');
  } finally {
    await release();
  }
  return python;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
