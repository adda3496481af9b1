import type { SyncTableInput } from '../../workflows/contract.ts';
import { tableNamed } from '../tables/index.ts';
import { parentAmong } from '../tables/parents.ts';

/** The inputs whose tables are read by the rows of none of the others. */
export function withoutParents(inputs: readonly SyncTableInput[]): SyncTableInput[] {
  const names = namesOf(inputs);
  return inputs.filter((input) => parentOf(input, names) === undefined);
}

/** Runs each input; that of a table that is read by the rows of another one when the other has ended. */
export function parentsFirst<T>(
  inputs: readonly SyncTableInput[],
  run: (input: SyncTableInput) => Promise<T>,
): Promise<T>[] {
  const names = namesOf(inputs);
  const byName = new Map(inputs.map((input) => [input.run.table, input]));
  const ends = new Map<string, Promise<T>>();
  const ended = (input: SyncTableInput): Promise<T> => {
    const { table } = input.run;
    const parent = parentOf(input, names);
    const end = ends.get(table) ?? (parent ? ended(byName.get(parent)!).then(() => run(input)) : run(input));
    ends.set(table, end);
    return end;
  };
  return inputs.map(ended);
}

function namesOf(inputs: readonly SyncTableInput[]): ReadonlySet<string> {
  return new Set(inputs.map(({ run }) => run.table));
}

function parentOf({ run }: SyncTableInput, names: ReadonlySet<string>): string | undefined {
  return parentAmong(tableNamed(run.table), names);
}
