import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applySchedules, planApply } from '../../../connections/apply.ts';
import { triggerTables } from '../../../connections/schedule/trigger.ts';
import type { ConsoleAddress } from '../../../console/console.ts';
import { Sources } from '../../../console/sources.ts';
import { lifeOf } from '../../../sandbox/life.ts';
import { type Sandbox, startSandbox } from '../../../sandbox/sandbox.ts';
import { createLog, type Log } from '../../../serving/logs.ts';
import { quietRuntime } from '../../../serving/runtime.ts';
import { ServedQueues } from '../../../serving/served-queues.ts';
import { defaultTableSettings, type Settings, settingsVersion } from '../../../settings/settings.ts';
import { writeSettings } from '../../../settings/write.ts';
import { defaultTables } from '../../../tables/index.ts';
import { connectDevServer } from '../../../temporal/connection.ts';
import { useTemporaryDevServer } from '../../../temporal/dev-server/temporary.ts';
import { patientClient } from '../../../temporal/patient-client.ts';
import { destinationOf } from '../../../warehouse/store/destination.ts';
import { withConsole } from '../../options/console-options.ts';
import type { Session } from '../../session.ts';
import { spanUntilToday } from './span.ts';

/** The environment variable that holds the sandbox's key; the settings name only it. */
const keyVariable = 'INCIDENT_IO_SANDBOX_KEY';
/** As slow as an API over the Internet, so that the import can be watched. */
const latencyMs = 60;

/**
 * Links a made-up account and serves the console over it while it is imported, until the interrupt.
 * @param to the folder or bucket that keeps the tables
 */
export async function runConsoleDemo(
  session: Session,
  to: string | undefined,
  address: ConsoleAddress,
): Promise<void> {
  const { signal, stderr } = session;
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-demo-'));
  // If people link sources to try it, their keys belong to the sandbox and are deleted with it.
  process.env['XDG_CONFIG_HOME'] = join(folder, 'config');
  const log = createLog({ write: (line) => stderr.write(line), isTTY: true });
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await startSandbox({ ...spanUntilToday(), latencyMs });
    sandbox.beforeAnswer = lifeOf(sandbox, { seed: 1 });
    process.env[keyVariable] = sandbox.key;
    const settings = settingsOfDemo(
      sandbox.url,
      to === undefined ? join(folder, 'warehouse') : destinationOf(to),
    );
    const file = join(folder, 'sandbox.json');
    await writeSettings(file, settings, { replace: false });
    await serveDemo(session, { sandbox, settings, file, log, address });
  } catch (error) {
    // Ctrl-C is the normal way to end it.
    if (!signal.aborted) throw error;
  } finally {
    await sandbox?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function settingsOfDemo(baseUrl: string, destination: string): Settings {
  return {
    version: settingsVersion,
    connection: 'sandbox',
    apiKey: { env: keyVariable },
    baseUrl,
    destination,
    retention: '7d',
    tables: Object.fromEntries(defaultTables.map((table) => [table.name, defaultTableSettings(table)])),
  };
}

async function serveDemo(
  session: Session,
  {
    sandbox,
    settings,
    file,
    log,
    address,
  }: {
    readonly sandbox: Sandbox;
    readonly settings: Settings;
    readonly file: string;
    readonly log: Log;
    readonly address: ConsoleAddress;
  },
): Promise<void> {
  const { signal, stdout } = session;
  quietRuntime();
  stdout.write('Starting a sandbox of the incident.io API and a Temporal server …\n');
  const report = (line: string) => log('info', line);
  const access = await connectDevServer(await useTemporaryDevServer({ env: process.env, report }));
  const queues = new ServedQueues(access, log);
  try {
    const client = patientClient(access, { ms: 60_000, signal, report });
    await queues.serve(settings);
    const world = {
      client,
      sources: new Sources([file]),
      log,
      signal,
      temporalUi: access.uiAddress,
      sandbox: { baseUrl: sandbox.url, key: sandbox.key },
      serve: (linked: Settings) => queues.serve(linked),
    };
    await withConsole(session, world, address, async () => {
      await applySchedules(client, settings, await planApply(client, settings, 'unknown'), signal);
      await triggerTables(client, settings, defaultTables);
      if (!signal.aborted) await once(signal, 'abort');
    });
  } finally {
    await queues.close();
    await access.close();
  }
}
