import { howSynced } from '../../../connections/change-in-words.ts';
import type { TablePermission } from '../../../incident-io/permissions.ts';
import { ownKeyFileIfAny } from '../../../settings/key-file.ts';
import { variablePattern } from '../../../settings/key.ts';
import { defaultTableSettings, frequencies, type TableSettings } from '../../../settings/settings.ts';
import { inGroups, tableNamed } from '../../../tables/index.ts';
import { withoutParent, withTheirParents } from '../../../tables/parents.ts';
import { syncMethodsOf, type Table } from '../../../tables/table.ts';
import { anyBucket, destinationOf, problemOfDestination } from '../../../warehouse/store/destination.ts';
import { keyVariable } from '../../options/key-options.ts';
import type { Session } from '../../session.ts';
import { visible } from '../../terminal/output.ts';
import { answerTo, streamsOf } from '../../terminal/prompts.ts';
import { widthOf, wrapped } from '../../terminal/text.ts';
import {
  type Answers,
  type CheckedKey,
  defaultConnection,
  defaultDestination,
  type LinkOptions,
} from './answers.ts';
import { tableSettingsOf, wantedTables } from './flags.ts';

/** Asks for what the options leave open. Every question has a default, so that Enter is enough. */
export async function askAnswers(
  session: Session,
  options: LinkOptions,
  checked: CheckedKey,
): Promise<Answers> {
  const { log } = await import('@clack/prompts');
  const { identity, permissions, reference } = checked;
  log.success(`The key belongs to ${visible(identity.account)}.`, streamsOf(session));
  const chosen = await askTables(session, options, permissions);
  const tables = await askSettings(session, options, chosen);
  const destination = destinationOf(options.to ?? (await askDestination(session)));
  const connection = options.connection ?? (await askConnection(session));
  const kept = reference ? { apiKey: reference, writeKey: false } : await askStorage(session, connection);
  return { connection, destination, ...kept, tables };
}

/** Offers the tables that the key can read, by group; those that the options ask for are ticked. */
async function askTables(
  session: Session,
  options: LinkOptions,
  permissions: readonly TablePermission[],
): Promise<Table[]> {
  const { groupMultiselect } = await import('@clack/prompts');
  const readable = permissions.filter(({ allowed }) => allowed).map(({ table }) => tableNamed(table));
  const offered = inGroups(readable).map(([group, tables]) => [
    group,
    tables.map(({ name, description }) => ({ value: name, hint: description })),
  ]);
  const wanted = withTheirParents(wantedTables(options).filter((table) => readable.includes(table)));
  const chosen = await answerTo(
    groupMultiselect({
      message: 'Which tables to sync?',
      options: Object.fromEntries(offered),
      initialValues: wanted.map(({ name }) => name),
      required: true,
      ...streamsOf(session),
    }),
  );
  return addParents(session, chosen.map(tableNamed));
}

/** Adds the parents of chosen tables, and says so. */
async function addParents(session: Session, chosen: Table[]): Promise<Table[]> {
  const missing = [...new Set(withoutParent(chosen).map(({ parent }) => parent))];
  if (missing.length === 0) return chosen;
  const { note } = await import('@clack/prompts');
  note(missing.join('\n'), 'Added, because other tables are read by their rows', streamsOf(session));
  return addParents(session, [...chosen, ...missing.map(tableNamed)]);
}

async function askSettings(
  session: Session,
  options: LinkOptions,
  chosen: readonly Table[],
): Promise<Answers['tables']> {
  const { multiselect, note } = await import('@clack/prompts');
  const settings = new Map(Object.entries(tableSettingsOf(options, chosen)));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  note(
    [...settings]
      .map(([table, entry]) => `${table.padEnd(width)}  ${besides(session, width + 2, howSynced(entry))}`)
      .join('\n'),
    'How each table is synced',
    streamsOf(session),
  );
  const others = await answerTo(
    multiselect({
      message: 'Change how any table is synced? (Enter keeps the defaults)',
      options: chosen.map(({ name }) => ({ value: name })),
      required: false,
      ...streamsOf(session),
    }),
  );
  for (const name of others) {
    settings.set(name, await askTableSettings(session, tableNamed(name), settings.get(name)!));
  }
  return Object.fromEntries(settings);
}

/** The border of clack's notes, with its margin, on both sides. */
const noteBorder = 6;

/** A text in the right column of a note: its further lines are indented to its first. */
function besides({ stdout }: Session, indent: number, text: string): string {
  const lines = wrapped(text, widthOf(stdout) - noteBorder - indent);
  return lines.replaceAll('\n', `\n${' '.repeat(indent)}`);
}

async function askTableSettings(
  session: Session,
  table: Table,
  current: TableSettings,
): Promise<TableSettings> {
  const { select } = await import('@clack/prompts');
  const syncMethod = await answerTo(
    select({
      message: `${table.name}: sync method`,
      options: syncMethodsOf(table).map((method) => ({ value: method })),
      initialValue: current.syncMethod,
      ...streamsOf(session),
    }),
  );
  const changed = syncMethod === current.syncMethod ? current : defaultTableSettings(table, syncMethod);
  const every = await answerTo(
    select({
      message: `${table.name}: sync frequency`,
      options: [...new Set([...frequencies, changed.every])].map((frequency) => ({ value: frequency })),
      initialValue: changed.every,
      ...streamsOf(session),
    }),
  );
  return { ...changed, every };
}

async function askDestination(session: Session): Promise<string> {
  const { text } = await import('@clack/prompts');
  return answerTo(
    text({
      message: `Folder of the tables, or ${anyBucket}`,
      initialValue: defaultDestination,
      validate: (text) => required(text) ?? problemOfDestination(text!),
      ...streamsOf(session),
    }),
  );
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
): Promise<Pick<Answers, 'apiKey' | 'writeKey'>> {
  const { select, text } = await import('@clack/prompts');
  const file = ownKeyFileIfAny(connection);
  const kind = await answerTo(
    select({
      message: 'Where does the worker find the key?',
      options: [
        ...(file === undefined
          ? []
          : [{ value: 'file', label: 'In a file that only you can read', hint: file }]),
        { value: 'env', label: 'In an environment variable, which you set where the worker runs' },
      ],
      ...streamsOf(session),
    }),
  );
  if (kind === 'file' && file !== undefined) return { apiKey: { file }, writeKey: true };
  const env = await answerTo(
    text({
      message: 'Name of the variable',
      initialValue: keyVariable,
      validate: (name) =>
        variablePattern.test(name ?? '') ? undefined : 'Please enter the name of an environment variable.',
      ...streamsOf(session),
    }),
  );
  return { apiKey: { env }, writeKey: false };
}

function required(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? 'Please enter a value.' : undefined;
}
