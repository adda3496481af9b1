import { Command } from 'commander';
import { tableWorkflowId, scheduleId } from '../../temporal/names.ts';
import { examples } from '../terminal/help.ts';
import { addOperatingOptions, operating, type OperatingOptions } from '../options/operating.ts';
import { count, printJson } from '../terminal/output.ts';
import type { Session } from '../session.ts';

/** `cancel`: stops runs that are going on. */
export function cancelCommand(session: Session): Command {
  return addOperatingOptions(
    new Command('cancel')
      .summary('stop runs that are going on')
      .description(
        'stop runs that are going on, and wait until they swept what they had staged; the tables stay as they were',
      ),
  )
    .addHelpText(
      'after',
      examples(
        ['One table', 'incident-io-source cancel alerts'],
        ['And start no other', 'incident-io-source pause alerts && incident-io-source cancel alerts'],
      ),
    )
    .action((names: string[], options: OperatingOptions) => cancel(session, names, options));
}

async function cancel(session: Session, names: readonly string[], options: OperatingOptions): Promise<void> {
  const cancelled = await operating(session, names, options, async ({ client, settings, tables }) => {
    const { cancelTable } = await import('../../connections/operate.ts');
    return Promise.all(
      tables.map(async ({ name: table }) => {
        const ids = {
          scheduleId: scheduleId(settings.connection, table),
          workflowId: tableWorkflowId(settings.destination, table),
        };
        return { table, ...(await cancelTable(client, ids, session.signal)) };
      }),
    );
  });
  if (cancelled.some(({ unanswered }) => unanswered.length > 0)) session.exitCode = 1;
  if (options.json) {
    printJson(session.stdout, cancelled);
    return;
  }
  const { stdout, stderr } = session;
  for (const { table, ended, unanswered } of cancelled) {
    if (ended.length > 0) stdout.write(`${table}: cancelled ${count(ended.length, 'run')}\n`);
    if (ended.length + unanswered.length === 0) stdout.write(`${table}: no run is going on\n`);
    for (const workflowId of unanswered) {
      stderr.write(`error: ${table}: no worker answers for ${workflowId}, which is to stop.\n`);
      stderr.write('  → Start the worker: the run then ends and sweeps what it had staged.\n');
    }
  }
}
