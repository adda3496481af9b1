import { isRefusal } from '../errors.ts';
import type { Reveal, Table } from '../tables/table.ts';
import type { Call, Client, Param } from './client.ts';
import { recordsOf } from './pages.ts';

/** The parameters that reveal a table's hidden rows, every value the account has. */
export type Reveals = {
  readonly params: readonly Param[];
  /** Canonical JSON of the same and of the values of the table's passes, to compare with a table's state. */
  readonly filters: string;
  /** Sentences for the run's report, where further values could not be read. */
  readonly notes: readonly string[];
};

/**
 * Reads what values the revealing parameters take. Where the list of further values cannot be read, the known
 * ones and those of the table's state are sent: that is no difference, or a passing refusal would cost a full
 * read.
 *
 * @param stored the `filters` the table was last read with.
 */
export async function readReveals(
  client: Client,
  table: Table,
  stored: string | undefined,
  call: Call,
): Promise<Reveals> {
  const storedParams = stored === undefined ? [] : (JSON.parse(stored) as [string, string][]);
  const params: Param[] = [];
  const notes: string[] = [];
  for (const reveal of table.reveals ?? []) {
    const known = new Set(reveal.values);
    try {
      for (const value of await furtherValues(client, reveal, call)) known.add(value);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      for (const [param, value] of storedParams) if (param === reveal.param) known.add(value);
      notes.push(`Values of ${reveal.param} beyond the known ones could not be read: ${error.message}`);
    }
    params.push(...[...known].sort().map((value): Param => [reveal.param, value]));
  }
  const passes = table.passes?.values.toSorted().map((value): Param => [table.passes!.param, value]) ?? [];
  return { params, filters: JSON.stringify([...params, ...passes]), notes };
}

async function furtherValues(client: Client, { moreFrom }: Reveal, call: Call): Promise<string[]> {
  if (!moreFrom) return [];
  const { path, records, field } = moreFrom;
  const answer = await client.get(path, [], call);
  return recordsOf(answer, path, records)
    .map((record) => record[field])
    .filter((value): value is string => typeof value === 'string' && value !== '');
}
