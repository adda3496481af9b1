import type { Look, TableRun } from '../activities/contract.ts';
import type { Carried, Doubt } from './contract.ts';
import type { RunHost } from './host.ts';
import { RunFailure } from './run-failure.ts';
import { startReading } from './windows.ts';

/** Long enough for a brief fault of a proxy or the API to pass, short enough for a person waiting for `sync`. */
const secondLookAfterMs = 15_000;

/** What the commit is told about earlier readings of the same run. */
export function lookOf({ doubt }: Carried): Look {
  return doubt ? { reading: 2, droppedAtFirst: doubt.dropped } : { reading: 1 };
}

/**
 * Prepares to read the table a second time, after a pause. The parts of the first reading stay, so only rows that
 * neither reading saw can be dropped. Fails the run if this was the second reading: the table stays as it is.
 */
export async function lookAgain(
  host: RunHost,
  run: TableRun,
  carried: Carried,
  { reason, dropped }: Doubt,
): Promise<Carried> {
  const { plan, reading, doubt } = carried;
  if (doubt) {
    throw new RunFailure(
      'ContradictedError',
      `${run.table}: ${reason}; two readings do not agree, so nothing was changed`,
      'The next run reads the table again. If it keeps failing, check what is between this machine and incident.io.',
    );
  }
  await host.sleep(run.limits.secondLookAfterMs ?? secondLookAfterMs);
  const { parts, figures, notes, parents } = reading;
  return {
    ...carried,
    doubt: { reason, dropped },
    reading: {
      ...startReading(plan),
      parts,
      ...(parents && { parents: { ...parents, left: [] } }),
      figures,
      notes: [...notes, `The table was read a second time: ${reason}.`],
    },
  };
}
