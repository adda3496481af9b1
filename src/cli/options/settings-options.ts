import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { defaultSettingsFile } from '../../settings/settings.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import type { Session } from '../session.ts';
import { agreesTo, hasTerminal } from '../terminal/prompts.ts';

/** The options of commands that change what is scheduled. */
export type ChangingOptions = { readonly settings: string; readonly yes?: true; readonly json?: true };

export function addChangingOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'settings of the connection', defaultSettingsFile)
    .option('--yes', 'do not ask for confirmation')
    .option('--json', 'print JSON');
}

/**
 * Connects to Temporal for as long as `work` lasts. A server that goes away is reported and waited for.
 * @param patienceMs milliseconds without an answer after which a call fails
 */
export async function withTemporal<T>(
  { stderr, signal }: Session,
  work: (client: Client) => Promise<T>,
  patienceMs = 60_000,
): Promise<T> {
  const [{ connectTemporal }, { patientClient }] = await Promise.all([
    import('../../temporal/connection.ts'),
    import('../../temporal/patient-client.ts'),
  ]);
  const report = (line: string) => void stderr.write(`${line}\n`);
  const access = await connectTemporal({ env: process.env, report });
  try {
    return await work(patientClient(access, { ms: patienceMs, signal, report }));
  } finally {
    await access.close();
  }
}

/** Opens the warehouse of a destination for as long as `work` lasts. */
export async function withWarehouse<T>(
  destination: string,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  const { withDestination } = await import('../../warehouse/open-warehouse.ts');
  return withDestination(destination, work);
}

/** How a command handles questions. */
type Asking = Pick<ChangingOptions, 'yes' | 'json'>;

/** Whether questions can be asked; with `--json` they would end up in the JSON. */
export function mayAsk(session: Session, { yes, json }: Asking): boolean {
  return hasTerminal(session) && !yes && !json;
}

/**
 * Whether to go ahead: `--yes` was given, or a person at a terminal agrees. Throws `UsageError` without a terminal.
 * @param byDefault what Enter answers
 */
export async function isAgreed(
  session: Session,
  options: Asking,
  question: string,
  byDefault = true,
): Promise<boolean> {
  if (options.yes) return true;
  if (mayAsk(session, options)) return agreesTo(session, question, byDefault);
  throw new UsageError(
    `Confirmation is needed, but it is not possible to ask ${options.json ? 'with --json' : 'without a terminal'}: ${question}`,
    'Nothing was changed. Add --yes to go ahead.',
  );
}
