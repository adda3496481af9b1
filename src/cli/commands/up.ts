import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { SourceError } from '../../errors.ts';
import type { Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import type { Log, LogOutput } from '../../serving/logs.ts';
import type { TableStatus } from '../../connections/status.ts';
import { assertSameAccount } from '../../warehouse/commit/account.ts';
import { resolveKey } from '../../settings/key.ts';
import { examples } from '../terminal/help.ts';
import { keyVariable } from '../options/key-options.ts';
import type { Service } from '../../serving/serve-connection.ts';
import { addServingOptions, type ServingOptions } from '../options/serving-options.ts';
import type { Session } from '../session.ts';
import { statusOnScreen } from './status/status.ts';

/** `up`: everything a connection needs, in one process. */
export function upCommand(session: Session): Command {
  return addServingOptions(
    new Command('up')
      .summary('server, schedules and worker in one process')
      .description(
        'keep the tables of a connection current on this one machine: server, schedules and worker, until Ctrl-C',
      ),
  )
    .addHelpText(
      'after',
      examples(
        ['After link', `export ${keyVariable}=…\n  incident-io-source up`],
        ['Another connection', 'incident-io-source up --settings other.json'],
      ),
    )
    .action((options: ServingOptions) => up(session, options));
}

async function up(session: Session, { settings: file, ...endpoints }: ServingOptions): Promise<void> {
  const [{ readSettings }, { createLog }, { serveConnection }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../serving/logs.ts'),
    import('../../serving/serve-connection.ts'),
  ]);
  const { signal } = session;
  const settings = await readSettings(file);
  const key = await resolveKey(settings.apiKey);
  const screen = await openScreen(session);
  const log = createLog(screen.lines);
  try {
    const account = await accountOf(session, settings, key, log);
    await serveConnection({ settings, endpoints, log, signal }, async (service) => {
      await applySettings(session, settings, account, service, log);
      await show(session, settings, service, log, screen);
    });
  } finally {
    screen.close();
  }
}

/** A status at the bottom of the terminal that is drawn anew, and lines above it; elsewhere lines only. */
type Screen = {
  readonly lines: LogOutput;
  readonly show?: (status: string) => void;
  readonly close: () => void;
};

async function openScreen({ stdout, stderr }: Session): Promise<Screen> {
  // Text also where nobody is at a terminal: what reads JSON runs `worker`.
  if (stdout.isTTY !== true) {
    return { lines: { write: (line) => stderr.write(line), isTTY: true }, close: () => undefined };
  }
  const { createLogUpdate } = await import('log-update');
  const live = createLogUpdate(stdout as NodeJS.WritableStream);
  return {
    lines: { write: (line) => live.persist(line.trimEnd()), isTTY: true },
    show: (status) => live(status),
    close: () => live.done(),
  };
}

/**
 * Whose key it is. An API that does not answer now may do so when the first run begins; a key that is refused would
 * fail them all. Throws `CredentialsError`.
 */
async function accountOf(session: Session, { baseUrl }: Settings, apiKey: string, log: Log): Promise<string> {
  const [{ createClient }, { readIdentity }] = await Promise.all([
    import('../../incident-io/client.ts'),
    import('../../incident-io/identity.ts'),
  ]);
  try {
    const identity = await readIdentity(createClient({ apiKey, baseUrl }), { signal: session.signal });
    return identity.account;
  } catch (error) {
    if (!(error instanceof SourceError) || error.retry === 'never') throw error;
    log('warn', 'the key could not be checked', { error: error.message, advice: error.advice });
    return 'unknown';
  }
}

/** Makes the schedules be what the settings say. The worker serves already: it has to end runs of those deleted. */
async function applySettings(
  { signal }: Session,
  settings: Settings,
  account: string,
  { client, warehouse }: Service,
  log: Log,
): Promise<void> {
  const [{ planApply, applySchedules }, { triggerTables }] = await Promise.all([
    import('../../connections/apply.ts'),
    import('../../connections/trigger.ts'),
  ]);
  for (const name of Object.keys(settings.tables)) {
    assertSameAccount(settings.destination, name, await warehouse.readState(tableNamed(name)), account);
  }
  const changes = await planApply(client, settings, account);
  await applySchedules(client, settings, changes, signal);
  for (const { table, change } of changes) {
    if (change !== 'none') log('info', `schedule ${said[change]}`, { table });
    // Its first interval may be days away, and whoever starts `up` wants to see the table.
    if (change === 'create') await triggerTables(client, settings, [tableNamed(table)]);
  }
}
const said = { create: 'created', update: 'updated', delete: 'deleted' } as const;

/** Between two looks: a person who watches wants to see it move. */
const lookEveryMs = 2_000;

/** Shows how the tables are doing until somebody interrupts; without a terminal once, as then every run is told. */
async function show(
  session: Session,
  settings: Settings,
  { client, warehouse }: Service,
  log: Log,
  screen: Screen,
): Promise<void> {
  const [{ isGrpcServiceError, ServiceError }, { statusOf }] = await Promise.all([
    import('@temporalio/client'),
    import('../../connections/status.ts'),
  ]);
  const { signal } = session;
  const tables = Object.keys(settings.tables).map(tableNamed);
  const look = () => Promise.all(tables.map((table) => statusOf(client, settings, table, warehouse)));
  const interrupted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  if (!screen.show) {
    for (const status of await look()) log('info', 'table', plain(status));
    await interrupted;
    return;
  }
  while (!signal.aborted) {
    try {
      // A server that is gone keeps a question waiting for longer than Ctrl-C may take.
      const statuses = await Promise.race([look(), interrupted]);
      if (statuses) screen.show(statusOnScreen(session, { settings }, statuses));
    } catch (error) {
      // That the server does not answer is told above the status, which then stays as it was.
      if (!(error instanceof ServiceError || isGrpcServiceError(error))) throw error;
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

function plain({ table, syncMethod, every, lastRun, nextRun, schedule }: TableStatus) {
  const last = lastRun && { lastRun: lastRun.outcome, ended: lastRun.ended };
  return { table, syncMethod, every, ...last, nextRun: schedule === 'paused' ? 'paused' : nextRun };
}
