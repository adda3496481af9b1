import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Difference } from '../../drift/compare.ts';
import { UsageError } from '../../errors.ts';
import { defaultBaseUrl } from '../../incident-io/base-url.ts';
import { systemCodeOf } from '../../failure.ts';
import { tables } from '../../tables/index.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';
import { count, printJson, printTable } from '../terminal/output.ts';
import { writeText } from '../terminal/text.ts';

type DriftOptions = { readonly document?: string; readonly baseUrl: string; readonly json?: true };

/** `drift`: how the API's own document differs from what the tables were made from. */
export function driftCommand(session: Session): Command {
  return new Command('drift')
    .description(
      'compare the declared tables with the OpenAPI document of the API: lists, columns and parameters that came, ' +
        'changed or went. Needs no API key. Exits with 1 if a table needs something that is gone or different.',
    )
    .option('--document <file>', 'a document in a file, instead of the one that the API answers')
    .option('--base-url <url>', 'another address of the API', defaultBaseUrl)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        ['With what the API says today', 'incident-io-source drift'],
        ['With a document in a file', 'incident-io-source drift --document openapi.json'],
      ),
    )
    .action((options: DriftOptions) => drift(session, options));
}

async function drift(session: Session, options: DriftOptions): Promise<void> {
  const [{ parseDocument }, { compareDocuments, compareTable }, { knownApi }] = await Promise.all([
    import('../../drift/document.ts'),
    import('../../drift/compare.ts'),
    import('../../drift/known-api.ts'),
  ]);
  const { text, from } = await documentText(session, options);
  const document = parseDocument(text, from);
  const differences = [
    ...tables.flatMap((table) => compareTable(document, table)),
    ...compareDocuments(knownApi(), document, tables),
  ];
  const breaking = differences.filter(({ breaks }) => breaks).length;
  if (breaking > 0) session.exitCode = 1;
  if (options.json) printJson(session.stdout, differences.map(toJson));
  else print(session, differences, breaking);
}

async function documentText(
  { signal }: Session,
  { document: file, baseUrl }: DriftOptions,
): Promise<{ readonly text: string; readonly from: string }> {
  if (file === undefined) {
    const { createClient } = await import('../../incident-io/client.ts');
    const path = '/v1/openapiV3.json';
    const answer = await createClient({ baseUrl }).get(path, [], { signal });
    return { text: answer.text.toString('utf8'), from: `GET ${path}` };
  }
  try {
    return { text: await readFile(file, 'utf8'), from: file };
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read (${systemCodeOf(error) ?? 'unknown error'}).`,
      'Check --document.',
    );
  }
}

function print({ stdout, stderr }: Session, differences: readonly Difference[], breaking: number): void {
  if (differences.length === 0) {
    writeText(stdout, 'The tables are up to date with the document.');
    return;
  }
  printTable(stdout, differences, [
    { head: 'what', value: ({ what, change }) => `${what} ${change}` },
    { head: 'table', value: ({ table }) => table ?? 'none' },
    { head: 'name', value: ({ name }) => name ?? '' },
    { head: 'list', value: ({ path }) => path },
    { head: 'detail', value: ({ detail, breaks }) => (breaks ? `! ${detail}` : detail), wrap: true },
  ]);
  if (breaking === 0) return;
  writeText(
    stderr,
    `error: ${count(breaking, 'difference')} (marked with !) ${breaking === 1 ? 'concerns' : 'concern'} what a table needs.\n` +
      '  → Change its declaration in src/tables.',
  );
}

function toJson({ change, what, path, table, name, detail, breaks }: Difference) {
  return { change, what, path, table: table ?? null, name: name ?? null, detail, breaks };
}
