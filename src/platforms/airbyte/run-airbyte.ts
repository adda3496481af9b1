import { parseArgs } from 'node:util';
import type { Writable } from 'node:stream';
import { UsageError } from '../../errors.ts';
import { configOf, configSchema } from '../config.ts';
import { platformFailure } from '../failure-type.ts';
import { jsonFile } from '../json-file.ts';
import { LineOutput } from '../line-output.ts';
import { errorTrace, protocolVersion } from './messages.ts';

const commands = ['spec', 'check', 'discover', 'read'] as const;

export const airbyteUsage =
  'spec | check --config FILE | discover --config FILE | read --config FILE --catalog FILE [--state FILE]';

const documentationUrl = 'https://api-docs.incident.io/';

/**
 * One call of the source by Airbyte. Writes messages of its protocol, and nothing else.
 * @returns the exit code: 1 if something failed, which a message says
 */
export async function runAirbyte(
  argv: readonly string[],
  { stdout, signal }: { readonly stdout: Writable; readonly signal: AbortSignal },
): Promise<number> {
  const output = new LineOutput(stdout);
  try {
    return await command(argv, output, signal);
  } catch (error) {
    signal.throwIfAborted();
    await output.message(errorTrace(platformFailure(error)));
    return 1;
  }
}

async function command(argv: readonly string[], output: LineOutput, signal: AbortSignal): Promise<number> {
  // Platforms add flags of their own, such as --debug.
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { config: { type: 'string' }, catalog: { type: 'string' }, state: { type: 'string' } },
    allowPositionals: true,
    strict: false,
  });
  const file = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  const name = commands.find((command) => command === positionals[0]);
  const config = async () => configOf(await jsonFile('config', file('config')));
  switch (name) {
    case undefined:
      throw new UsageError(
        `There is no command ${JSON.stringify(positionals[0] ?? '')}.`,
        `Use ${airbyteUsage}.`,
      );
    case 'spec':
      await output.message({
        type: 'SPEC',
        spec: {
          protocol_version: protocolVersion,
          documentationUrl,
          supportsIncremental: true,
          connectionSpecification: configSchema,
        },
      });
      return 0;
    // Loaded when they are needed: `spec` needs neither DuckDB nor an HTTP client.
    case 'check': {
      const { check } = await import('./check.ts');
      await check(() => jsonFile('config', file('config')), output, signal);
      return 0;
    }
    case 'discover': {
      const { discover } = await import('./discover.ts');
      await discover(await config(), output, signal);
      return 0;
    }
    case 'read': {
      const { read } = await import('./read.ts');
      const catalog = await jsonFile('catalog', file('catalog'));
      const state = file('state') === undefined ? undefined : await jsonFile('state', file('state'));
      return (await read(await config(), { catalog, state }, output, signal)) ? 0 : 1;
    }
  }
}
