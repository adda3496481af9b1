import { Command, InvalidArgumentError, Option } from 'commander';
import { demoSizes } from '../../../sandbox/demo-sizes.ts';
import { examples } from '../../terminal/help.ts';
import type { Session } from '../../session.ts';
import type { ServingOptions } from './serve-sandbox.ts';

type SandboxCommandOptions = Omit<ServingOptions, 'sizes'> & {
  /** One size per table, under its name in camel case. */
  readonly [size: string]: unknown;
};

const sizedTables = Object.keys(demoSizes) as (keyof typeof demoSizes)[];

/** `sandbox`: a stand-in for the API, for trying everything out. */
export function sandboxCommand(session: Session): Command {
  const command = new Command('sandbox').addOption(
    new Option('--port <n>', 'port of 127.0.0.1; 0 for any free one').default(8080).argParser(port),
  );
  for (const table of sizedTables) {
    command.addOption(
      new Option(`--${table.replaceAll('_', '-')} <n>`, `number of ${table.replaceAll('_', ' ')}`)
        .default(demoSizes[table])
        .argParser(whole),
    );
  }
  return command
    .addOption(new Option('--seed <n>', 'the same seed gives the same account').default(1).argParser(whole))
    .addOption(new Option('--latency <ms>', 'milliseconds before each answer').default(0).argParser(whole))
    .option('--no-limits', 'answer as fast as possible, instead of at the API’s rate limits')
    .addOption(
      new Option('--faults <fraction>', 'share of requests that fail in passing, from 0 to 1')
        .default(0)
        .argParser(fraction),
    )
    .option('--live', 'add, change or delete a row before each answer, as the seed decides')
    .option('--webhooks <url>', 'send a signed webhook there for what --live changes')
    .option('--json', 'print URL and key as one line of JSON')
    .addHelpText(
      'after',
      examples(
        ['An account to try things with', 'incident-io-source sandbox'],
        ['A large one on a slow network', 'incident-io-source sandbox --alerts 100000 --latency 150'],
        ['One request in twenty fails', 'incident-io-source sandbox --faults 0.05'],
        ['Rows change while they are read', 'incident-io-source sandbox --live'],
        ['For a script: any free port', 'incident-io-source sandbox --port 0 --json'],
      ),
    )
    .action(async (options: SandboxCommandOptions) => {
      const { serveSandbox } = await import('./serve-sandbox.ts');
      const sizes = Object.fromEntries(
        sizedTables.map((table) => [table, options[camelCase(table)] as number]),
      );
      await serveSandbox(session, { ...options, sizes });
    });
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 0 to 999999999.');
  return Number(text);
}

function port(text: string): number {
  const value = whole(text);
  if (value > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.');
  return value;
}

function fraction(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('Give a number from 0 to 1.');
  return value;
}

/** The name that commander gives the value of an option. */
function camelCase(table: string): string {
  return table.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
