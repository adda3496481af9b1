import { Command } from 'commander';
import { addOperatingOptions, operating, type OperatingOptions } from '../options/operating.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { count, printJson } from '../terminal/output.ts';
import { writeText } from '../terminal/text.ts';

/** `cancel`: stops runs in progress. */
export function cancelCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('cancel').description(
      'stop runs in progress, and wait until they have deleted what they staged; the tables stay as they are',
    ),
  )
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source cancel alerts'],
        ['And start no other run', 'incident-io-source pause alerts && incident-io-source cancel alerts'],
      ),
    )
    .action((names: string[], options: OperatingOptions) => cancel(session, names, options));
}

async function cancel(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const cancelled = await operating(session, names, options, async ({ client, settings, tables }) => {
    const { cancelTables } = await import('../../connections/runs/cancel.ts');
    return cancelTables(client, settings, tables, session.signal);
  });
  if (cancelled.some(({ unanswered }) => unanswered.length > 0)) session.exitCode = 1;
  if (options.json) {
    printJson(session.stdout, cancelled);
    return;
  }
  const { stdout, stderr } = session;
  for (const { table, ended, unanswered } of cancelled) {
    if (ended.length > 0) stdout.write(`${table}: cancelled ${count(ended.length, 'run')}\n`);
    if (ended.length + unanswered.length === 0) stdout.write(`${table}: no run is in progress\n`);
    for (const workflowId of unanswered) {
      writeText(stderr, `error: ${table}: ${workflowId} was asked to stop, but no worker is responding.`);
      writeText(stderr, '  → Start a worker: the run then ends and deletes what it staged.');
    }
  }
}
