import { CredentialsError, KeyMissingError, UsageError } from '../../../errors.ts';
import type { TablePermission } from '../../../incident-io/permissions.ts';
import { checkedKey, describeKey, type KeyReference } from '../../../settings/key.ts';
import { frequencies, type TableSettings, defaultTableSettings } from '../../../settings/settings.ts';
import { tableNamed, tables } from '../../../tables/index.ts';
import { syncMethodsOf, type Table } from '../../../tables/table.ts';
import { destinationOf, problemOfDestination } from '../../../warehouse/store/destination.ts';
import { ownKeyFile } from '../../../settings/key-file.ts';
import { keyVariable } from '../../options/key-options.ts';
import {
  type Answers,
  type CheckedKey,
  defaultConnection,
  defaultDestination,
  type LinkOptions,
} from './answers.ts';
import { adviceFor, checkKey, givenKey, givenReference, namedTables, tableSettingsOf } from './flags.ts';
import { visible } from '../../terminal/output.ts';
import { answerTo, streamsOf } from '../../terminal/prompts.ts';
import { howKept } from '../../terminal/schedule-changes.ts';
import type { Session } from '../../session.ts';

/** Has the key pasted, unless the options name it, until it is one that can read something. */
export async function askKey(session: Session, options: LinkOptions): Promise<CheckedKey> {
  const { log, password } = await import('@clack/prompts');
  const streams = streamsOf(session);
  if (givenReference(options) !== undefined || options.keyStdin) return givenKey(session, options);
  log.message(
    'Create an API key in incident.io under Settings → API keys. Tick the view permission of each resource you ' +
      `want to sync: ${[...new Set(tables.map(({ scope }) => scope))].join(', ')}. Private incidents are ` +
      'synced only with “View all incident data, including private incidents”.',
    streams,
  );
  for (;;) {
    const pasted = await answerTo(
      password({ message: 'Paste the API key', clearOnError: true, validate: problemOfKey, ...streams }),
    );
    try {
      const checked = await checkKey(session, options, checkedKey(pasted, 'the input'));
      if (checked.permissions.some(({ allowed }) => allowed)) return checked;
      log.warn(`The key may read none of the tables. ${adviceFor(checked.permissions)}`, streams);
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error;
      log.error('incident.io does not know this key.', streams);
    }
  }
}

function problemOfKey(text: string | undefined): string | undefined {
  try {
    checkedKey(text, 'the input');
    return undefined;
  } catch (error) {
    if (error instanceof UsageError || error instanceof KeyMissingError) return error.message;
    throw error;
  }
}

/** Asks for what the options leave open; everything has a default chosen already. */
export async function askAnswers(
  session: Session,
  options: LinkOptions,
  checked: CheckedKey,
): Promise<Answers> {
  const { log, text } = await import('@clack/prompts');
  const streams = streamsOf(session);
  const { identity, permissions, reference } = checked;
  log.success(`The key belongs to ${visible(identity.account)}.`, streams);
  const chosen = await askTables(session, options, permissions);
  const settings = await askSettings(session, options, chosen);
  const destination =
    options.to ??
    (await answerTo(
      text({
        message: 'The folder of the tables, or s3://bucket/prefix',
        initialValue: defaultDestination,
        validate: (text) => required(text) ?? problemOfDestination(text!),
        ...streams,
      }),
    ));
  const connection = options.connection ?? (await askConnection(session));
  const kept = reference ? { apiKey: reference, writeKey: false } : await askStorage(session, connection);
  return { connection, destination: destinationOf(destination), ...kept, tables: settings };
}

async function askTables(
  session: Session,
  { tables: named }: LinkOptions,
  permissions: readonly TablePermission[],
): Promise<Table[]> {
  const { log, multiselect } = await import('@clack/prompts');
  const streams = streamsOf(session);
  if (permissions.some(({ allowed }) => !allowed)) log.warn(adviceFor(permissions), streams);
  const readable = permissions.filter(({ allowed }) => allowed).map(({ table }) => table);
  const chosen = await answerTo(
    multiselect({
      message: 'The tables',
      options: permissions.map((permission) => ({
        value: permission.table,
        ...(permission.allowed
          ? { hint: tableNamed(permission.table).scope ?? '' }
          : { disabled: true, hint: permission.scope ? `lacks ${permission.scope}` : permission.message }),
      })),
      initialValues:
        named === undefined
          ? readable
          : namedTables(named)
              .map(({ name }) => name)
              .filter((name) => readable.includes(name)),
      required: true,
      ...streams,
    }),
  );
  return chosen.map(tableNamed);
}

async function askSettings(
  session: Session,
  options: LinkOptions,
  chosen: readonly Table[],
): Promise<Answers['tables']> {
  const { multiselect, note, select } = await import('@clack/prompts');
  const streams = streamsOf(session);
  const settings = new Map(Object.entries(tableSettingsOf(options, chosen)));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  note(
    [...settings].map(([table, entry]) => `${table.padEnd(width)}  ${howKept(entry)}`).join('\n'),
    'How they are kept current',
    streams,
  );
  const others = await answerTo(
    multiselect({
      message: 'Keep any of them otherwise? (none: go on)',
      options: chosen.map(({ name }) => ({ value: name })),
      required: false,
      ...streams,
    }),
  );
  for (const table of others.map(tableNamed)) {
    const { name } = table;
    const current = settings.get(name)!;
    const sync = await answerTo(
      select({
        message: `${name}: sync method`,
        options: syncMethodsOf(table).map((method) => ({ value: method })),
        initialValue: current.syncMethod,
        ...streams,
      }),
    );
    const changed: TableSettings = sync === current.syncMethod ? current : defaultTableSettings(table, sync);
    const every = await answerTo(
      select({
        message: `${name}: sync frequency`,
        options: [...new Set([...frequencies, changed.every])].map((frequency) => ({ value: frequency })),
        initialValue: changed.every,
        ...streams,
      }),
    );
    settings.set(name, { ...changed, every });
  }
  return Object.fromEntries(settings);
}

async function askConnection(session: Session): Promise<string> {
  const [{ text }, { problemOfConnection }] = await Promise.all([
    import('@clack/prompts'),
    import('../../../settings/schema.ts'),
  ]);
  return answerTo(
    text({
      message: 'A name for this connection',
      initialValue: defaultConnection,
      validate: (name) => problemOfConnection(name ?? ''),
      ...streamsOf(session),
    }),
  );
}

/** Where a key that was pasted is kept. */
async function askStorage(
  session: Session,
  connection: string,
): Promise<{ readonly apiKey: KeyReference; readonly writeKey: boolean }> {
  const { select, text } = await import('@clack/prompts');
  const streams = streamsOf(session);
  const file = { file: ownKeyFile(connection) };
  const kind = await answerTo(
    select({
      message: 'Where the worker finds the key',
      options: [
        { value: 'file', label: `a ${describeKey(file)}, which only you can read` },
        { value: 'env', label: 'a variable, which you set where the worker runs' },
      ],
      ...streams,
    }),
  );
  if (kind === 'file') return { apiKey: file, writeKey: true };
  const env = await answerTo(
    text({ message: 'Name of the variable', initialValue: keyVariable, validate: required, ...streams }),
  );
  return { apiKey: { env }, writeKey: false };
}

function required(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? 'Something has to stand here.' : undefined;
}
