import { once } from 'node:events';
import { Command, Option } from 'commander';
import type { ConsoleAddress } from '../../console/console.ts';
import { defined } from '../../defined.ts';
import type { Settings } from '../../settings/settings.ts';
import { throwIfOutputLost } from '../lost-output.ts';
import { addressOf } from '../options/address.ts';
import { withConsole } from '../options/console-options.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

type ConsoleOptions = {
  readonly settings: readonly string[];
  readonly listen?: string;
  readonly behindProxy?: string;
};

/** `console`: the page on which people link accounts, watch imports and look at their tables. */
export function consoleCommand(session: Session): Command {
  return new Command('console')
    .description(
      'serve a page on this machine to link accounts, choose tables, watch imports and query the tables, until ' +
        'Ctrl-C; runs need a worker too: up --console is both',
    )
    .addOption(
      new Option(
        '--settings <paths...>',
        'settings files, or a folder of them; new ones are written next to them',
      ).default([], 'incident-io.json'),
    )
    .option(
      '--listen <address>',
      'host and port (default: 127.0.0.1:4680, or a free port if it is in use)',
      addressOf,
    )
    .option(
      '--behind-proxy <url>',
      'the address of a proxy with TLS in front of it, to listen beyond loopback',
    )
    .addHelpText(
      'after',
      examples(
        ['Link the first account', 'incident-io-source console'],
        ['Many connections', 'incident-io-source console --settings connections/'],
        ['On a server, from your machine', 'ssh -L 4680:127.0.0.1:4680 server incident-io-source console'],
        [
          'Behind a proxy that checks who may see it',
          'incident-io-source console --listen 0.0.0.0:4680 --behind-proxy https://incidents.example.com',
        ],
      ),
    )
    .action(({ settings, listen, behindProxy }: ConsoleOptions) =>
      serveConsole(session, { settings, address: defined({ listen, behindProxy }), isWorker: false }),
    );
}

/**
 * Serves the console alone, until the interrupt.
 * @param console.isWorker whether this process also carries out the runs of the accounts that are linked there
 */
export async function serveConsole(
  session: Session,
  {
    settings,
    address,
    isWorker,
  }: {
    readonly settings: readonly string[];
    readonly address: ConsoleAddress;
    readonly isWorker: boolean;
  },
): Promise<void> {
  const [{ Sources }, { createLog }, { servingRuntime }, { connectTemporal }, { patientClient }, queues] =
    await Promise.all([
      import('../../console/sources.ts'),
      import('../../serving/logs.ts'),
      import('../../serving/runtime.ts'),
      import('../../temporal/connection.ts'),
      import('../../temporal/patient-client.ts'),
      import('../../serving/served-queues.ts'),
    ]);
  const { signal, stderr } = session;
  const log = createLog({ write: (line) => stderr.write(line), isTTY: true });
  const report = (line: string) => log('info', line);
  servingRuntime(log, undefined);
  const access = await connectTemporal({ env: process.env, report });
  const served = new queues.ServedQueues(access, log);
  try {
    const world = {
      client: patientClient(access, { ms: patienceMs, signal, report }),
      sources: new Sources(settings),
      log,
      signal,
      temporalUi: access.uiAddress,
      sandbox: undefined,
      serve: isWorker ? (linked: Settings) => served.serve(linked) : undefined,
    };
    await withConsole(session, world, address, async () => {
      if (!signal.aborted) await once(signal, 'abort');
    });
  } finally {
    await served.close();
    await access.close();
  }
  throwIfOutputLost(signal);
}

/** People give up on a page after this time without an answer. */
const patienceMs = 15_000;
