import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { UsageError } from '../../errors.ts';
import { packageVersion } from '../../package-version.ts';
import { hideSecrets } from '../../secrets.ts';
import { sideBySide } from '../../warehouse/side-by-side.ts';
import { configOf, configSchema, type PlatformConfig } from '../config.ts';
import { platformFailure } from '../failure-type.ts';
import { jsonFile } from '../json-file.ts';
import { LineOutput } from '../line-output.ts';
import { openPlace } from '../place.ts';
import { readableTables } from '../readable-tables.ts';
import { catalogEntry } from './catalog.ts';
import { singerDialect } from './dialect.ts';
import { type Say, sync } from './sync.ts';

const name = 'tap-incident-io';
const usage = `${name} --config FILE [--discover | --catalog FILE] [--state FILE]`;
const exitCodes = { failed: 1, usage: 2 };

const options = {
  config: { type: 'string' },
  discover: { type: 'boolean' },
  catalog: { type: 'string' },
  properties: { type: 'string' },
  state: { type: 'string' },
  about: { type: 'boolean' },
  format: { type: 'string' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Io = { readonly stdout: Writable; readonly stderr: Writable; readonly signal: AbortSignal };

/**
 * One call of the source as a Singer tap.
 * @returns the exit code: 1 if something failed, 2 for wrong usage; the reason is on standard error
 */
export async function runTap(argv: readonly string[], { stdout, stderr, signal }: Io): Promise<number> {
  const output = new LineOutput(stdout);
  const say: Say = (level, text) => stderr.write(`${level} ${hideSecrets(text)}\n`);
  try {
    return await command(argv, output, say, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message, stack } = platformFailure(error);
    say('CRITICAL', stack === undefined ? message : `${message}\n${stack}`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

async function command(
  argv: readonly string[],
  output: LineOutput,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  const flags = flagsIn(argv);
  if (flags.help || argv.length === 0) {
    say('INFO', `Usage: ${usage}`);
    return flags.help ? 0 : exitCodes.usage;
  }
  if (flags.version) {
    await output.message({ name, version: packageVersion() });
    return 0;
  }
  if (flags.about) {
    await output.document(about());
    return 0;
  }
  const config = configOf(await jsonFile('config', flags.config));
  if (flags.discover) {
    await discover(config, output, say, signal);
    return 0;
  }
  const catalogFile = flags.catalog ?? flags.properties;
  const catalog = catalogFile === undefined ? undefined : await jsonFile('catalog', catalogFile);
  const state = flags.state === undefined ? undefined : await jsonFile('state', flags.state);
  return (await sync(config, { catalog, state }, { output, say, signal })) ? 0 : exitCodes.failed;
}

function flagsIn(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, `Usage: ${usage}`, { cause: error });
  }
}

function about(): object {
  const capabilities = ['catalog', 'discover', 'state', 'properties', 'about', 'activate-version'];
  return { name, version: packageVersion(), capabilities, settings: configSchema };
}

async function discover(
  config: PlatformConfig,
  output: LineOutput,
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  const { readable, unreadable } = await readableTables(config, signal);
  for (const sentence of unreadable) say('WARNING', sentence);
  const place = await openPlace(config);
  try {
    const { warehouse, isKept } = place;
    const streams = await sideBySide(readable, async (table) => {
      const snapshot = isKept ? await warehouse.snapshotOf(table) : undefined;
      return catalogEntry(table, snapshot, singerDialect(config));
    });
    await output.document({ streams });
  } finally {
    await place.close();
  }
}
