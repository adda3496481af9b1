import type { TableChange } from '../../connections/apply.ts';
import { planApply } from '../../connections/apply.ts';
import { assertOwnTables } from '../../connections/account.ts';
import { linkConnection } from '../../connections/link.ts';
import { isFailure } from '../../connections/per-table.ts';
import { neighboursOf } from '../../connections/schedule/neighbours.ts';
import { triggerTables } from '../../connections/schedule/trigger.ts';
import { UsageError } from '../../errors.ts';
import { ownKeyFile } from '../../settings/key-file.ts';
import { variablePattern } from '../../settings/key.ts';
import { settingsOf } from '../../settings/schema.ts';
import { type Settings, settingsVersion } from '../../settings/settings.ts';
import { assertMayWrite, settingsText } from '../../settings/write.ts';
import { tableNamed } from '../../tables/index.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import { destinationOf } from '../../warehouse/store/destination.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import type { DestinationAnswer, Linked, LinkPlan, LinkRequest } from '../contract/link.ts';
import { changesJson, neighboursJson } from '../change/json.ts';
import { failuresJson } from '../problem-json.ts';
import type { ConsoleWorld } from '../world.ts';
import type { Draft } from './drafts.ts';

/** Checks that a destination can be written to, and lists its tables. Throws `DestinationError`, `UsageError`. */
export async function checkDestination(text: string, world: ConsoleWorld): Promise<DestinationAnswer> {
  const destination = destinationOf(text, world.sources.folder);
  const [{ openStore }, { tablesIn }] = await Promise.all([
    import('../../warehouse/store/open-store.ts'),
    import('../../warehouse/read/table-files.ts'),
  ]);
  await withDestination(destination, (warehouse) => warehouse.assertWritable());
  return { destination, tables: await tablesIn(await openStore(destination)) };
}

/** Plans what linking would do; changes nothing. Throws what the command `link` throws for the same mistakes. */
export async function planLink(draft: Draft, request: LinkRequest, world: ConsoleWorld): Promise<LinkPlan> {
  const { file, settings } = await newSettings(draft, request, world);
  return withDestination(settings.destination, async (warehouse) => {
    const { changes, neighbours, unread } = await plannedLink(draft, settings, warehouse, world);
    return {
      file,
      text: settingsText(file, settings),
      apiKey: settings.apiKey,
      writesKey: 'file' in settings.apiKey,
      changes: changesJson(settings, changes),
      neighbours: neighboursJson(settings, neighbours),
      notes: failuresJson(unread),
    };
  });
}

/** Links: writes key and settings, creates the schedules, starts the import. */
export async function linkNow(
  draft: Draft,
  { import: starts, ...request }: LinkRequest & { readonly import: boolean },
  world: ConsoleWorld,
): Promise<Linked> {
  const { client, signal, serve, sources } = world;
  const { file, settings } = await newSettings(draft, request, world);
  await withDestination(settings.destination, async (warehouse) => {
    const { changes } = await plannedLink(draft, settings, warehouse, world);
    const key = 'file' in settings.apiKey ? { key: draft.key } : {};
    await linkConnection({ client, warehouse, signal }, { file, settings, replace: false, ...key }, changes);
  });
  const id = await sources.added(file);
  await serve?.(settings);
  const tables = Object.keys(settings.tables).map(tableNamed);
  const outcomes = starts ? await triggerTables(client, settings, tables) : [];
  return {
    id,
    failures: failuresJson(outcomes.filter(isFailure)),
    ...(!serve && { needsWorker: `incident-io-source worker --settings ${file}` }),
  };
}

async function newSettings(draft: Draft, request: LinkRequest, { sources }: ConsoleWorld) {
  const { connection, keyEnv, tables } = request;
  if (keyEnv !== undefined && !variablePattern.test(keyEnv)) {
    // The error does not repeat the value, since it may be the key itself.
    throw new UsageError('This is not the name of an environment variable.', 'Use letters, digits and _.');
  }
  const file = sources.newFile(connection);
  await assertMayWrite(file, false);
  const written = {
    version: settingsVersion,
    connection,
    apiKey: keyEnv === undefined ? { file: ownKeyFile(connection) } : { env: keyEnv },
    baseUrl: draft.baseUrl,
    destination: destinationOf(request.destination, sources.folder),
    tables,
  };
  const settings = settingsOf(written, file);
  assertReadable(draft, settings);
  return { file, settings };
}

/** Throws `UsageError`, as `link --tables` does, for a table that the key cannot read. */
function assertReadable({ facts }: Draft, { tables }: Settings): void {
  const refused = facts.permissions.filter(({ table, allowed }) => !allowed && table in tables);
  if (refused.length === 0) return;
  throw new UsageError(
    `The API key cannot read ${refused.map(({ table }) => table).join(', ')}.`,
    'Grant the scopes in incident.io and check the key again, or leave these tables out.',
  );
}

/** Makes the same decisions as the command `link`. Throws `AccountMismatchError`, and what `planApply` throws. */
async function plannedLink(
  { facts }: Draft,
  settings: Settings,
  warehouse: Warehouse,
  { client }: ConsoleWorld,
): Promise<{
  readonly changes: readonly TableChange[];
  readonly neighbours: Awaited<ReturnType<typeof neighboursOf>>;
  readonly unread: Awaited<ReturnType<typeof assertOwnTables>>;
}> {
  const { account } = facts.identity;
  const tables = Object.keys(settings.tables).map(tableNamed);
  const unread = await assertOwnTables(warehouse, tables, account);
  const changes = await planApply(client, settings, account);
  return { changes, neighbours: await neighboursOf(client, settings), unread };
}
