import { setMaxListeners } from 'node:events';
import { Command } from 'commander';
import { SourceError, TemporalUnavailableError } from '../errors.ts';
import { packageVersion } from '../package-version.ts';
import { keepSecret } from '../secrets.ts';
import { commands } from './commands/index.ts';
import { OutputLostError } from './lost-output.ts';
import { keyVariable } from './options/key-options.ts';
import type { Session } from './session.ts';
import { reportFailure } from './terminal/failure.ts';
import { examples } from './terminal/help.ts';
import { InterruptedError } from './terminal/interrupted.ts';

/**
 * Runs one command line.
 * @param argv without the two entries for the program itself
 * @returns the exit code: 0 done · 1 something failed · 2 wrong usage · 130 interrupted · 141 the reader of the output
 * went away
 */
export async function run(
  argv: readonly string[],
  io: Pick<Session, 'stdin' | 'stdout' | 'stderr' | 'signal'>,
): Promise<number> {
  const session: Session = { ...io, exitCode: 0 };
  // Each table and each question listens to it; Node warns of a leak at eleven.
  setMaxListeners(0, io.signal);
  const key = process.env[keyVariable]?.trim();
  if (key) keepSecret(key);
  try {
    const program = await createProgram(session, argv);
    await program.parseAsync(argv, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    const cause = causeOf(error);
    const { reason } = io.signal;
    if (reason instanceof OutputLostError && isInterruption(cause, reason)) return reason.exitCode;
    return reportFailure(session, cause, argv.includes('--json'));
  }
}

/** Unwraps what Temporal's client wrapped: an error of our own, or an abort. Anything else is the server's failure. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ServiceError') return error;
  const { cause, message } = error;
  if (cause instanceof SourceError || (cause instanceof Error && cause.name === 'AbortError')) return cause;
  const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return new TemporalUnavailableError(
    `A call to the Temporal server failed: ${reason}`,
    'Check the server, and what TEMPORAL_API_KEY or the client certificate may do in its namespace.',
    { cause: error },
  );
}

function isInterruption(error: unknown, reason: Error): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return error === reason || error instanceof InterruptedError || isAbort;
}

/** The program. A command that the arguments do not name is a stub, with only what `--help` lists. */
async function createProgram(session: Session, argv: readonly string[]): Promise<Command> {
  const { stdout, stderr } = session;
  const program = new Command('incident-io-source')
    .description('Copies an incident.io account into Delta tables and keeps them current.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 80,
      getErrHelpWidth: () => stderr.columns ?? 80,
      // reportFailure prints all errors.
      outputError: () => undefined,
    })
    .addHelpText(
      'after',
      examples(
        ['Which tables can be synced?', 'incident-io-source tables'],
        ['What can my key read?', `export ${keyVariable}=…\n  incident-io-source check`],
        [
          'How many incidents of each severity?',
          `incident-io-source query "SELECT severity_id, count(*) FROM incidents GROUP BY ALL"`,
        ],
      ),
    );
  // A completion script describes all commands.
  const areAllNeeded = argv.includes('completion');
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const isNeeded = areAllNeeded || argv.includes(name);
    const made = isNeeded ? (await load())(session) : new Command(name);
    made.summary(summary).copyInheritedSettings(program);
    if (made.description() === '') made.description(summary);
    for (const part of made.commands) part.copyInheritedSettings(made);
    program.addCommand(made);
  }
  // Without their arguments, which stubs do not have.
  return program.configureHelp({ subcommandTerm: (command) => command.name() });
}
