import { setMaxListeners } from 'node:events';
import { Command } from 'commander';
import { SourceError, TemporalUnavailableError } from '../errors.ts';
import { packageVersion } from '../package-version.ts';
import { keepSecret } from '../secrets.ts';
import { airbyteCommand } from './commands/airbyte.ts';
import { applyCommand } from './commands/apply.ts';
import { cancelCommand } from './commands/cancel.ts';
import { checkCommand } from './commands/check.ts';
import { completionCommand } from './commands/completion/completion.ts';
import { consoleCommand } from './commands/console.ts';
import { demoCommand } from './commands/demo/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { driftCommand } from './commands/drift.ts';
import { linkCommand } from './commands/link/link.ts';
import { pauseCommand } from './commands/pause.ts';
import { queryCommand } from './commands/query/query.ts';
import { resumeCommand } from './commands/resume.ts';
import { resyncCommand } from './commands/resync.ts';
import { runsCommand } from './commands/runs/runs.ts';
import { sandboxCommand } from './commands/sandbox/sandbox.ts';
import { statusCommand } from './commands/status/status.ts';
import { syncCommand } from './commands/sync/sync.ts';
import { tablesCommand } from './commands/tables.ts';
import { triggerCommand } from './commands/trigger.ts';
import { unlinkCommand } from './commands/unlink.ts';
import { upCommand } from './commands/up.ts';
import { workerCommand } from './commands/worker.ts';
import { OutputLostError } from './lost-output.ts';
import { keyVariable } from './options/key-options.ts';
import type { Session } from './session.ts';
import { reportFailure } from './terminal/failure.ts';
import { examples } from './terminal/help.ts';
import { InterruptedError } from './terminal/interrupted.ts';

/** All commands, in the order of the help. */
const commands: readonly ((session: Session) => Command)[] = [
  tablesCommand,
  checkCommand,
  doctorCommand,
  syncCommand,
  linkCommand,
  applyCommand,
  unlinkCommand,
  statusCommand,
  runsCommand,
  triggerCommand,
  pauseCommand,
  resumeCommand,
  resyncCommand,
  cancelCommand,
  upCommand,
  workerCommand,
  consoleCommand,
  queryCommand,
  airbyteCommand,
  sandboxCommand,
  demoCommand,
  driftCommand,
  completionCommand,
];

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
    await createProgram(session).parseAsync(argv, { from: 'user' });
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

function createProgram(session: Session): Command {
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
  for (const command of commands) {
    const made = command(session).copyInheritedSettings(program);
    for (const part of made.commands) part.copyInheritedSettings(made);
    program.addCommand(made);
  }
  return program;
}
