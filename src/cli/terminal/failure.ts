import { CommanderError } from 'commander';
import { PermissionError, RequestError, UsageError } from '../../errors.ts';
import { type Failure, failureOf, isForeseen, type TableFailure } from '../../failure.ts';
import { nearest } from '../../nearest.ts';
import { hideSecrets } from '../../secrets.ts';
import type { Session } from '../session.ts';
import { InterruptedError } from './interrupted.ts';
import { printJson } from './output.ts';
import { writeText } from './text.ts';

/** Exit codes that scripts can rely on. */
const exitCodes = { failed: 1, usage: 2, interrupted: 130 };

type Told = Omit<Failure, 'advice'> & { readonly advice?: string; readonly [fact: string]: unknown };

/**
 * Reports an error, without any key in it: two lines on stderr or, for a machine, one object on stdout.
 * @returns the exit code: 1 something failed · 2 wrong usage · 130 interrupted
 */
export function reportFailure(session: Session, error: unknown, json: boolean): number {
  const aborted = session.signal.aborted && (error === session.signal.reason || isAbort(error));
  if (aborted || error instanceof InterruptedError) {
    session.stderr.write('Interrupted.\n');
    if (json && !(error instanceof InterruptedError)) {
      printJson(session.stdout, { error: 'Interrupted', message: 'Interrupted.' });
    }
    return exitCodes.interrupted;
  }
  // Help or version have been printed already: on request, or because no command was given.
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
  const failure = describe(error);
  if (json) {
    printJson(session.stdout, withoutSecrets(failure));
  } else {
    const advice = failure.advice === undefined ? '' : `\n  → ${failure.advice}`;
    writeText(session.stderr, hideSecrets(`error: ${failure.message}${advice}`));
  }
  return error instanceof UsageError || error instanceof CommanderError ? exitCodes.usage : exitCodes.failed;
}

/** Reports tables that failed while others did not: each cause once, with all tables that share it. */
export function tellFailures(
  session: Session,
  failures: readonly TableFailure[],
  kind: 'error' | 'note' = 'error',
): void {
  const tables = new Map<string, string[]>();
  for (const { table, message, advice } of failures) {
    const cause = `${message}\n  → ${advice}`;
    tables.set(cause, [...(tables.get(cause) ?? []), table]);
  }
  for (const [cause, names] of tables) {
    writeText(session.stderr, hideSecrets(`${kind}: ${names.join(', ')}: ${cause}`));
  }
}

/** Whether it is the error that Node's own functions throw once their signal is aborted. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function describe(error: unknown): Told {
  if (error instanceof CommanderError) {
    const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
    const meant = meantBy(message, suggestion);
    const advice =
      meant === undefined ? 'Add --help to see what the command takes.' : `Did you mean ${meant}?`;
    return { error: 'UsageError', message, advice };
  }
  const failure = failureOf(error);
  return isForeseen(error) ? { ...failure, ...factsOf(error) } : { ...failure, message: stackOf(error) };
}

/** The nearest of commander's suggestions, `(Did you mean one of link, list?)`, which may also be far off. */
function meantBy(message: string, suggestion: string): string | undefined {
  const [, word = ''] = /'([^']*)'/.exec(message) ?? [];
  return nearest(
    word,
    [...suggestion.matchAll(/[\w-]+(?=[,?])/g)].map(([offered]) => offered),
  );
}

/** Facts that people quote to the vendor's support, and that a script may act on. */
function factsOf(error: unknown): { readonly [fact: string]: unknown } {
  if (!(error instanceof RequestError)) return {};
  const { status, requestId } = error.facts;
  const scope = error instanceof PermissionError ? error.scope : undefined;
  return {
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(scope !== undefined && { scope }),
  };
}

/** Stacks only: an error's other properties may hold a request with its headers, or rows. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}

function withoutSecrets(failure: Told): unknown {
  return Object.fromEntries(
    Object.entries(failure).map(([name, value]) => [
      name,
      typeof value === 'string' ? hideSecrets(value) : value,
    ]),
  );
}
