import { resolve } from 'node:path';
import type { TableChange } from '../../../connections/apply.ts';
import { describeKey } from '../../../settings/key.ts';
import { defaultSettingsFile, type Settings } from '../../../settings/settings.ts';
import { tableNamed } from '../../../tables/index.ts';
import type { Session } from '../../session.ts';
import { count, printTable, visible } from '../../terminal/output.ts';
import { requestColumns, requestsInWords } from '../../terminal/requests.ts';
import { printChanges } from '../../terminal/schedule-changes.ts';
import { shellWord, writeText } from '../../terminal/text.ts';
import type { Answers, CheckedKey, LinkOptions } from './answers.ts';
import { adviceFor } from './flags.ts';

/** Prints whose key it is and what it can read. */
export function printPermissions({ stdout, stderr }: Session, { identity, permissions }: CheckedKey): void {
  stdout.write(`account  ${visible(identity.account)}\n\n`);
  printTable(stdout, permissions, [
    { head: 'table', value: ({ table }) => table },
    { head: 'scope', value: ({ table }) => tableNamed(table).scope ?? 'none' },
    ...requestColumns(permissions),
    {
      head: 'readable',
      value: (permission) => (permission.allowed ? 'yes' : `no: ${permission.message}`),
      wrap: true,
    },
  ]);
  writeText(stdout, `\n${requestsInWords(permissions)}`);
  stdout.write('\n');
  if (permissions.some(({ allowed }) => !allowed)) writeText(stderr, `note: ${adviceFor(permissions)}`);
}

/** Prints what is about to be done. */
export function printPlan(
  { stdout }: Session,
  options: LinkOptions,
  settings: Settings,
  { apiKey, writeKey }: Answers,
  changes: readonly TableChange[],
): void {
  const { connection, destination } = settings;
  printChanges(stdout, settings, changes);
  stdout.write(`\nconnection  ${connection}\n`);
  stdout.write(`tables in   ${destination}\n`);
  stdout.write(`settings    ${resolve(options.settings)}\n`);
  stdout.write(`API key     ${describeKey(apiKey)}${writeKey ? ' (to be written)' : ''}\n`);
  stdout.write(`import      ${options.import ? 'starts now' : 'at the first interval of each schedule'}\n\n`);
}

/** Prints what was done, and what to do next. */
export function tellLinked({ stdout, stderr }: Session, options: LinkOptions, settings: Settings): void {
  const { apiKey, tables } = settings;
  const what = count(Object.keys(tables).length, 'table');
  stdout.write(`Linked: ${what} on schedule${options.import ? ', import started' : ''}.\n`);
  if ('env' in apiKey && !process.env[apiKey.env]) {
    writeText(stderr, `note: set ${apiKey.env} where the worker runs; until then, runs wait for the key.`);
  }
  const file = options.settings;
  const which = file === defaultSettingsFile ? '' : ` --settings ${shellWord(file)}`;
  writeText(
    stdout,
    `Runs need a worker. To start one on this machine:
  incident-io-source up${which}
In production, start incident-io-source worker instead. To see how the tables are doing:
  incident-io-source status${which}`,
  );
}
