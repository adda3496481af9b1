import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { tableNamed } from '../../../src/tables/index.ts';
import {
  calledOf,
  catalogOf,
  held,
  idsOf,
  platformWorld,
  type PlatformWorld,
  type Row,
  asDeltaRs,
} from '../../helpers/platform.ts';
import { declaredTypesOf, differences } from '../../helpers/truth.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Runs the executable, kills it after the first state that `isLast` accepts, and returns what it has printed. */
async function read(
  world: PlatformWorld,
  catalog: object,
  state: unknown,
  isLast = (_line: string) => false,
) {
  const argv = ['read', '--config', await world.file('config.json', world.config)];
  argv.push(
    '--catalog',
    await world.file('catalog.json', catalog),
    '--state',
    await world.file('state.json', state),
  );
  const main = here('../../../src/platforms/airbyte/main.ts');
  const child = spawn(process.execPath, [
    '--import',
    here('../../helpers/run-typescript.mjs'),
    main,
    ...argv,
  ]);
  const ended = once(child, 'close');
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text: Buffer) => void (errors += text.toString()));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('"type":"STATE"') && isLast(line)) {
      child.kill('SIGKILL');
      break;
    }
  }
  const [code] = (await ended) as [number | null];
  expect(errors).toBe('');
  return calledOf(code ?? -1, lines.join('\n'));
}

function expectAccount({ sandbox }: PlatformWorld, name: string, rows: ReadonlyMap<string, Row>): void {
  expect([...rows.keys()].sort()).toEqual(idsOf(sandbox, name).sort());
  const table = tableNamed(name);
  const wrong = [...sandbox.records(name)].flatMap((record) => {
    const row = asDeltaRs(name, rows.get(sandbox.idOf(name, record))!);
    return differences(row, record, table, declaredTypesOf(table));
  });
  expect(wrong).toEqual([]);
}

// Fails if a killed process loses or repeats rows, leaves something staged, or prints anything but messages.
it('sends the rest after it was killed, and then the changes', async () => {
  const world = await platformWorld(true, { limits: 'off', sizes: { incidents: 50, alerts: 13_000 } });
  const catalog = catalogOf(['alerts', 'incidents']);
  const first = await read(world, catalog, [], (line) => line.includes('"alerts"') && line.includes('"to"'));
  expect(first.records('alerts')).toHaveLength(8_192);

  const second = await read(world, catalog, first.state);
  expect(second.code).toBe(0);
  const [before, rest] = [first.records('alerts'), second.records('alerts')];
  expect(rest).toHaveLength(4_808);
  const alerts = held(rest, held(before));
  expectAccount(world, 'alerts', alerts);
  const incidents = held(second.records('incidents'), held(first.records('incidents')));
  expectAccount(world, 'incidents', incidents);

  const ids = idsOf(world.sandbox, 'incidents');
  world.sandbox.change('incidents', ids[4]!, {
    name: 'changed',
    summary: 'a "quote", a \\ and\na line break',
  });
  world.sandbox.remove('incidents', ids[7]!);
  world.sandbox.create('incidents', {});
  const third = await read(world, catalog, second.state);
  expect(third.records('incidents')).toHaveLength(3);
  expect(third.records('alerts')).toEqual([]);
  expectAccount(world, 'incidents', held(third.records('incidents'), incidents));
  expect(await readdir(`${world.folder}/warehouse/_staging/alerts`)).toEqual([]);
});

it('ends silently if the platform closes standard output', async () => {
  const world = await platformWorld(true);
  const argv = ['read', '--config', await world.file('config.json', world.config)];
  argv.push('--catalog', await world.file('catalog.json', catalogOf(['incidents'])));
  const main = here('../../../src/platforms/airbyte/main.ts');
  const child = spawn(process.execPath, [
    '--import',
    here('../../helpers/run-typescript.mjs'),
    main,
    ...argv,
  ]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text: Buffer) => void (errors += text.toString()));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(141);
  expect(errors).toBe('');
});
