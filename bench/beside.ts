import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { commandFigures } from './commands.ts';
import { type Figure, quantile, tableOf } from './figures.ts';

// Compares two builds. Machines are noisy and differ, so both are measured on one, in turn: a ratio of two figures
// that were taken minutes apart says more than each of them.

const run = promisify(execFile);

/** What is compared. Each build is measured by its own commands and benchmark scripts, which print the same rows. */
const measures: { readonly [name: string]: (build: string) => Promise<Figure[]> } = {
  commands: (build) => commandFigures(join(build, 'dist/src/cli/main.js')),
  'quiet-runs': script('scale.js', '--connections', '3', '--every', '12', '--minutes', '2'),
  ingest: script('main.js', 'ingest'),
  workers: script('main.js', 'workers'),
  month: script('main.js', 'month'),
};

function script(file: string, ...args: readonly string[]): (build: string) => Promise<Figure[]> {
  return async (build) => {
    const { stdout } = await run(process.execPath, [join(build, 'dist/bench', file), ...args], {
      cwd: build,
    });
    return figuresIn(stdout);
  };
}

/** The rows of the Markdown table that a benchmark printed. */
function figuresIn(printed: string): Figure[] {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => {
      const [, what, measured] = line.split('|').map((cell) => cell.trim());
      return { what: what!, measured: measured! };
    });
}

/** The figures that both builds have and that begin with a number. */
function compared(pairs: readonly { readonly other: Figure[]; readonly here: Figure[] }[]): Figure[] {
  return pairs[0]!.here.flatMap(({ what }) => {
    const found = pairs.map(({ other, here }) =>
      [other, here].map((all) => all.find((one) => one.what === what)),
    );
    const values = found.map((pair) => pair.map((one) => Number.parseFloat(one?.measured ?? '')));
    if (values.flat().some((value) => Number.isNaN(value))) return [];
    const texts = found.map((pair) => pair.map((one) => one!.measured).join(' → '));
    const ratios = values.map(([before, now]) => now! / before!);
    return [{ what, measured: texts.join('; '), ratio: quantile(ratios, 0.5) }];
  });
}

const { values, positionals } = parseArgs({
  options: { pairs: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const [folder, ...asked] = positionals;
const pairs = Number(values.pairs);
const unknown = asked.filter((name) => !(name in measures));
if (folder === undefined || unknown.length > 0 || !(pairs >= 1)) {
  console.error(
    `Usage: bench:beside -- <folder of another build> [--pairs 3] [${Object.keys(measures).join('|')} …]\nThe other build is a checkout in which npm ci and npm run build have run.`,
  );
  process.exit(2);
}
const here = fileURLToPath(new URL('../..', import.meta.url));
for (const name of asked.length > 0 ? asked : Object.keys(measures)) {
  const measure = measures[name]!;
  const taken = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    taken.push({ other: await measure(resolve(folder)), here: await measure(here) });
  }
  console.log(
    `\n${name}: the other build → this one, and the median of their ratios\n\n${tableOf(compared(taken))}`,
  );
}
