/**
 * A process that commits rows to a table in a destination, each row in its own run, while other processes do the same:
 * `commit-many.ts <destination> <name> <rows>`.
 */
import { openDestination } from '../../src/warehouse/open-warehouse.ts';
import { linesOf, state, things } from './things.ts';

const [destination, name, rows] = process.argv.slice(2);
const warehouse = await openDestination(destination!);
for (let row = 0; row < Number(rows); row += 1) {
  const id = `${name}-${row}`;
  let status = 'overtaken';
  while (status === 'overtaken') {
    const plannedOn: number | 'none' = (await warehouse.readState(things))?.counter ?? 'none';
    const writer = await warehouse.createPart(things, id);
    await writer.add(linesOf(things, [{ id, name: 'x' }]));
    const part = await writer.finish();
    const request = { chainId: id, parts: [part!], fullRead: false, plannedOn, state } as const;
    ({ status } = await warehouse.commit(things, request));
    await warehouse.discardStaged(things, id);
  }
}
await warehouse.close();
