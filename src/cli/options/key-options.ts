import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { defaultBaseUrl } from '../../incident-io/base-url.ts';
import type { KeyReference } from '../../settings/key.ts';

/** The environment variable from which commands read the key unless told otherwise. */
export const keyVariable = 'INCIDENT_IO_API_KEY';

/** The options of commands that talk to incident.io, as commander gives them. */
export type KeyOptions = { readonly keyFile?: string; readonly baseUrl: string };

/** The key itself is not an option: it would appear in the shell's history and in the list of processes. */
export function addKeyOptions(command: Command): Command {
  return command
    .addOption(new Option('--key-file <path>', `read the API key from this file instead of ${keyVariable}`))
    .addOption(
      new Option('--base-url <url>', 'another address of the API, such as a sandbox').default(defaultBaseUrl),
    );
}

/** Where the key is. A file's path is made absolute, because another process may read it. */
export function keyReferenceOf({ keyFile }: KeyOptions): KeyReference {
  return keyFile === undefined ? { env: keyVariable } : { file: resolve(keyFile) };
}
