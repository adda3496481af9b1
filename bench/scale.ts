import { parseArgs } from 'node:util';
import { usualTables } from '../test/helpers/usual-tables.ts';
import { tableOf } from './figures.ts';
import { scale } from './scale-run.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10' },
    every: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '2' },
    processes: { type: 'string', default: '1' },
    tables: { type: 'string', default: usualTables.join(',') },
    seeded: { type: 'boolean', default: false },
    server: { type: 'string' },
  },
});
const [connections, minutes, processes] = [values.connections, values.minutes, values.processes].map(
  Number,
) as [number, number, number];
const every = values.every === 'default' ? values.every : Number(values.every);
if (![connections, minutes, processes].every((value) => value > 0) || !(every === 'default' || every > 0)) {
  console.error(
    '--connections, --minutes and --processes must be greater than 0, --every seconds greater than 0 or `default`.',
  );
  process.exit(2);
}
if (every === 'default' && !values.seeded) {
  console.error(
    'With --every default, first syncs take until the longest interval has passed: add --seeded.',
  );
  process.exit(2);
}
const { seeded, server } = values;
const tables = values.tables.split(',');
const figures = await scale({ connections, every, seeded, minutes, processes, tables, server });
const frequency = every === 'default' ? 'at their default frequencies' : `every ${every} s`;
console.log(
  `\n${connections} connections × ${tables.length} tables ${frequency} for ${minutes} minutes, ${processes} worker processes${seeded ? '; all but one began with copied tables' : ''}\n`,
);
console.log(tableOf(figures));
