import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { TableStatus } from '../../connections/status/table-status.ts';
import type { ConsoleAddress } from '../../console/console.ts';
import { SourceError } from '../../errors.ts';
import type { Log, LogOutput } from '../../serving/logs.ts';
import type { LinkedConnections } from '../../serving/linked-connections.ts';
import type { ConnectionService } from '../../serving/serve-connections.ts';
import { resolveKey } from '../../settings/key.ts';
import { defaultSettingsFile, type Settings } from '../../settings/settings.ts';
import { tableNamed } from '../../tables/index.ts';
import { keyVariable } from '../options/key-options.ts';
import { addressOf } from '../options/address.ts';
import { consoleAddress, withConsole, type WithConsole } from '../options/console-options.ts';
import { addUpOptions, type UpOptions as ServedOptions } from '../options/serving-options.ts';
import { throwIfOutputLost } from '../lost-output.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { widthOf, wrapped } from '../terminal/text.ts';
import { statusesAsText } from './status/table-report.ts';

/** `up`: everything that a connection needs, in one process. */
export function upCommand(session: Session): Command {
  return addUpOptions(
    new Command('up').description(
      'keep the tables of a connection current on this one machine: server, schedules and worker, until Ctrl-C',
    ),
  )
    .option(
      '--console [address]',
      'serve the console too, at 127.0.0.1:4680 or this host and port',
      addressOf,
    )
    .option('--behind-proxy <url>', 'for --console: the address of a proxy with TLS in front of it')
    .addHelpText(
      'after',
      examples(
        ['After link', `export ${keyVariable}=…\n  incident-io-source up`],
        ['Another connection', 'incident-io-source up --settings other.json'],
        [
          'With a page in a browser, where the first account can be linked',
          'incident-io-source up --console',
        ],
      ),
    )
    .action((options: UpOptions) => up(session, options));
}

type UpOptions = ServedOptions & WithConsole;

async function up(
  session: Session,
  { settings: file, memory, console, behindProxy, ...endpoints }: UpOptions,
): Promise<void> {
  const address = consoleAddress({ console, behindProxy });
  if (address && file === defaultSettingsFile && !existsSync(file)) {
    // Nothing is linked yet: that is what the page is for.
    const { serveConsole } = await import('./console.ts');
    await serveConsole(session, { settings: [], address, isWorker: true });
    return;
  }
  const [{ readSettings }, { createLog }, { serveConnection }, { LinkedConnections }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../serving/logs.ts'),
    import('../../serving/serve-connections.ts'),
    import('../../serving/linked-connections.ts'),
  ]);
  const { signal } = session;
  const settings = await readSettings(file);
  const apiKey = await resolveKey(settings.apiKey);
  const screen = await openScreen(session);
  const log = createLog(screen.lines);
  try {
    const account = await accountIfTold(settings, apiKey, log, signal);
    // Connections that are linked in the console are added to it.
    const connections = new LinkedConnections([settings]);
    const serving = {
      settings,
      connections,
      endpoints,
      log,
      signal,
      ...(memory !== undefined && { memory }),
    };
    await serveConnection(serving, async (service) => {
      await applySettings(settings, account, service, log, signal);
      await whileConsole(session, { file, connections, service, log }, address, () =>
        show(session, settings, service, log, screen),
      );
    });
  } finally {
    screen.close();
  }
  throwIfOutputLost(signal);
}

/** Serves the console while `work` lasts, if asked to. This process also serves what is linked there. */
async function whileConsole(
  session: Session,
  {
    file,
    connections,
    service: { client, access },
    log,
  }: {
    readonly file: string;
    readonly connections: LinkedConnections;
    readonly service: ConnectionService;
    readonly log: Log;
  },
  address: ConsoleAddress | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (!address) return work();
  const { Sources } = await import('../../console/sources.ts');
  const world = {
    client,
    sources: new Sources([file]),
    log,
    signal: session.signal,
    temporalUi: access.uiAddress,
    sandbox: undefined,
    serve: (linked: Settings) => Promise.resolve(connections.add(linked)),
  };
  await withConsole(session, world, address, work);
}

/** On a terminal, a status at the bottom that is redrawn, with log lines above it; elsewhere log lines only. */
type Screen = {
  readonly lines: LogOutput;
  readonly show?: (status: string) => void;
  readonly close: () => void;
};

async function openScreen({ stdout, stderr }: Session): Promise<Screen> {
  // Text even without a terminal: anyone who wants JSON lines runs `worker`.
  if (stdout.isTTY !== true) {
    return { lines: { write: (line) => stderr.write(line), isTTY: true }, close: () => undefined };
  }
  const { createLogUpdate } = await import('log-update');
  const live = createLogUpdate(stdout as NodeJS.WritableStream);
  return {
    lines: { write: (line) => live.persist(wrapped(line.trimEnd(), widthOf(stdout))), isTTY: true },
    show: (status) => live(status),
    close: () => live.done(),
  };
}

/**
 * The key's account; `unknown` if the API does not answer now, since it may by the time the first run begins. A
 * refused key is an error, since it would fail all runs. Throws `CredentialsError`.
 */
async function accountIfTold(
  { baseUrl }: Settings,
  apiKey: string,
  log: Log,
  signal: AbortSignal,
): Promise<string> {
  const { accountOf } = await import('../../connections/account.ts');
  try {
    return await accountOf({ apiKey, baseUrl }, signal);
  } catch (error) {
    if (!(error instanceof SourceError) || error.retry === 'never') throw error;
    log('warn', 'the key could not be checked', { error: error.message, advice: error.advice });
    return 'unknown';
  }
}

/** Makes the schedules match the settings. The worker already runs: it has to end runs of deleted schedules. */
async function applySettings(
  settings: Settings,
  account: string,
  { client, warehouse }: ConnectionService,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const [{ assertOwnTables }, { planApply, applySchedules }, { isFailure }, { triggerTables }] =
    await Promise.all([
      import('../../connections/account.ts'),
      import('../../connections/apply.ts'),
      import('../../connections/per-table.ts'),
      import('../../connections/schedule/trigger.ts'),
    ]);
  const tables = Object.keys(settings.tables).map(tableNamed);
  // Its own runs fail and say so; the others are kept current.
  for (const { table, ...failure } of await assertOwnTables(warehouse, tables, account)) {
    log('error', 'cannot read a table', { table, ...failure });
  }
  const changes = await planApply(client, settings, account);
  await applySchedules(client, settings, changes, signal);
  for (const { table, change } of changes) {
    if (change !== 'none') log('info', `schedule ${pastTense[change]}`, { table });
  }
  // The first interval may be days away, and a person who starts `up` wants to see the tables.
  const created = changes.filter(({ change }) => change === 'create').map(({ table }) => tableNamed(table));
  for (const outcome of await triggerTables(client, settings, created)) {
    if (isFailure(outcome)) log('error', 'cannot trigger a table', outcome);
  }
}
const pastTense = { create: 'created', update: 'updated', delete: 'deleted' } as const;

/** Pause between two looks, longer if a look takes long. A person who watches wants to see progress. */
const lookEveryMs = 2_000;

/** Shows how the tables are doing until the interrupt; without a terminal only once, since every run is logged. */
async function show(
  { stdout, signal }: Session,
  settings: Settings,
  { client, warehouse }: ConnectionService,
  log: Log,
  screen: Screen,
): Promise<void> {
  const [{ isGrpcServiceError, ServiceError }, { statusOf }] = await Promise.all([
    import('@temporalio/client'),
    import('../../connections/status/table-status.ts'),
  ]);
  const tables = Object.keys(settings.tables).map(tableNamed);
  const look = () => Promise.all(tables.map((table) => statusOf(client, settings, table, warehouse)));
  const interrupted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  if (!screen.show) {
    const statuses = (await Promise.race([look(), interrupted])) ?? [];
    for (const status of statuses) log('info', 'table', factsOf(status));
    await interrupted;
    return;
  }
  while (!signal.aborted) {
    const began = Date.now();
    try {
      // The server may take longer to answer than a person waits after Ctrl-C.
      const statuses = await Promise.race([look(), interrupted]);
      if (statuses) screen.show(statusesAsText(stdout, settings, statuses));
    } catch (error) {
      // A line above the status says that the server does not answer; the status stays as it was.
      if (!(error instanceof ServiceError || isGrpcServiceError(error))) throw error;
    }
    const pauseMs = Math.max(lookEveryMs, 4 * (Date.now() - began));
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function factsOf({ table, syncMethod, every, lastRun, nextRun, schedule }: TableStatus) {
  const last = lastRun && { lastRun: lastRun.outcome, ended: lastRun.ended };
  return { table, syncMethod, every, ...last, nextRun: schedule === 'paused' ? 'paused' : nextRun };
}
