import { isRefusal } from '../errors.ts';
import { parseAnswer } from '../records/answer.ts';
import { isRecord } from '../records/rows.ts';
import type { Reveal } from '../tables/table.ts';
import type { Param } from './client.ts';
import { parsed } from './json-answers.ts';
import { type Reader, withoutRecords } from './pages.ts';

/** The parameters that reveal a table's hidden rows, with every value the account has. */
export type Reveals = {
  readonly params: readonly Param[];
  /** Canonical JSON of the parameters and of the values of the table's passes, to compare with a table's state. */
  readonly filters: string;
  /** Sentences for the run's report, if further values could not be read. */
  readonly notes: readonly string[];
};

/**
 * Reads which values the revealing parameters take. If the list of further values cannot be read, the known ones and
 * those of the table's state are sent. That does not count as a change: otherwise a passing refusal
 * would cost a full read.
 *
 * @param stored the `filters` the table was last read with.
 */
export async function readReveals(reader: Reader, stored: string | undefined): Promise<Reveals> {
  const { table } = reader;
  const storedParams = stored === undefined ? [] : (JSON.parse(stored) as [string, string][]);
  const params: Param[] = [];
  const notes: string[] = [];
  for (const reveal of table.reveals ?? []) {
    const known = new Set(reveal.values);
    try {
      for (const value of await furtherValues(reader, reveal)) known.add(value);
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

async function furtherValues({ client, call }: Reader, { moreFrom }: Reveal): Promise<string[]> {
  if (!moreFrom) return [];
  const { path, records: key, field } = moreFrom;
  const { records } = parsed(path, await client.get(path, [], call), (text) => parseAnswer(text, key));
  if (!records) throw withoutRecords(path, key);
  return records
    .map((record) => (isRecord(record) ? record[field] : undefined))
    .filter((value): value is string => typeof value === 'string' && value !== '');
}
