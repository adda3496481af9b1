import type { Command } from 'commander';
import { defaultSettingsFile } from '../../settings/settings.ts';

/** The options of commands that serve a connection's runs. */
export type ServingOptions = {
  readonly settings: string;
  readonly metrics?: string;
  readonly health?: string;
};

export function addServingOptions(command: Command): Command {
  return command
    .option('--settings <file>', 'settings file of the connection', defaultSettingsFile)
    .option('--metrics <address>', 'serve metrics to Prometheus at this IP address and port')
    .option('--health <address>', 'answer probes at /livez and /readyz, at this host and port');
}
