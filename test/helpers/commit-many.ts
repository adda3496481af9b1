/**
 * A process that commits rows to a table in a destination, each row in its own run, while other processes do the same:
 * `commit-many.ts <destination> <name> <rows>`.
 */
import { SourceError } from '../../src/errors.ts';
import { openDestination } from '../../src/warehouse/open-warehouse.ts';
import { linesOf, state, things } from './things.ts';

const [destination, name, rows] = process.argv.slice(2);
const warehouse = await openDestination(destination!);
for (let row = 0; row < Number(rows); row += 1) {
  const id = `${name}-${row}`;
  while (!(await isCommitted(id))) {
    // Another process was faster, or the store asked to try again.
  }
}
await warehouse.close();

async function isCommitted(id: string): Promise<boolean> {
  try {
    const plannedOn: number | 'none' = (await warehouse.readState(things))?.counter ?? 'none';
    const writer = await warehouse.createPart(things, id);
    await writer.add(linesOf(things, [{ id, name: 'x' }]));
    const part = await writer.finish();
    const request = { chainId: id, parts: [part!], fullRead: false, plannedOn, state } as const;
    const { status } = await warehouse.commit(things, request);
    await warehouse.discardStaged(things, id);
    return status !== 'overtaken';
  } catch (error) {
    if (error instanceof SourceError && error.retry === 'later') return false;
    throw error;
  }
}
