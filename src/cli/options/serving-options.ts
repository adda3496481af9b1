import { type Command, Option } from 'commander';
import { defaultSettingsFile } from '../../settings/settings.ts';
import { addressOf } from './address.ts';
import { memoryOf } from './memory.ts';

/** The options of commands that serve runs. */
export type ServingOptions = {
  readonly memory?: number;
  readonly metrics?: string;
  readonly health?: string;
  readonly webhooks?: string;
};

export type UpOptions = ServingOptions & { readonly settings: string };

export type WorkerOptions = ServingOptions & { readonly settings: readonly string[]; readonly pool?: string };

/** The options of `up`, which serves one connection. */
export function addUpOptions(command: Command): Command {
  return addServingOptions(
    command.option('--settings <file>', 'settings file of the connection', defaultSettingsFile),
  );
}

/** The options of `worker`, which serves any number of connections. */
export function addWorkerOptions(command: Command): Command {
  return addServingOptions(
    command
      .addOption(
        new Option(
          '--settings <file...>',
          'settings file of the connection; several files, or folders of them, which are watched',
        ).default([defaultSettingsFile], defaultSettingsFile),
      )
      .option('--pool <name>', 'serve only the connections whose settings name this pool'),
  );
}

function addServingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--memory <size>',
        'memory for merging and sorting, such as 1GiB; what does not fit goes to the disk',
      )
        .argParser(memoryOf)
        .default(undefined, '512MB'),
    )
    .option('--metrics <address>', 'serve metrics to Prometheus at this IP address and port')
    .option('--health <address>', 'answer probes at /livez and /readyz, at this host and port', addressOf)
    .option(
      '--webhooks <address>',
      'receive webhooks from incident.io at /webhooks/<connection>, at this host and port',
      addressOf,
    );
}
