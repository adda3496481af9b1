import { setFlagsFromString } from 'node:v8';
import { OutputLostError, watchOutputs } from '../cli/lost-output.ts';

/** What a program for a platform is given. */
type Program = (
  argv: readonly string[],
  io: {
    readonly stdout: NodeJS.WriteStream;
    readonly stderr: NodeJS.WriteStream;
    readonly signal: AbortSignal;
  },
) => Promise<number>;

/**
 * Runs this process as a program for a platform. Signals end it at once, as they end any process; everything sent so
 * far stays valid. If the platform closes standard output, it ends silently.
 */
export async function runProcess(program: Program): Promise<never> {
  // Platforms limit the memory of a source. V8 would let the space for new objects grow to 48 MiB, which a program whose
  // rows are made by DuckDB does not need. No option of Node's can be set from here.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { stdout, stderr } = process;
  const lost = new AbortController();
  watchOutputs({ 'standard output': stdout, 'standard error': stderr }, (error) => lost.abort(error));
  let code: number;
  try {
    code = await program(process.argv.slice(2), { stdout, stderr, signal: lost.signal });
  } catch (error) {
    const { reason } = lost.signal;
    if (!(reason instanceof OutputLostError)) throw error;
    if (reason.sentence !== undefined) stderr.write(reason.sentence);
    code = reason.exitCode;
  }
  process.exit(code);
}
