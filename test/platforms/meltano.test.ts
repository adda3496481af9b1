import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { idsOf, platformWorld } from '../helpers/platform.ts';
import { programsOf } from './helpers/environments.ts';
import { executable, ran, type Ran } from './helpers/programs.ts';

const example = fileURLToPath(new URL('../../examples/meltano.yml', import.meta.url));

type Row = { readonly [column: string]: unknown };

// Fails if the example does not work, if a table that fails takes others or their state with it, or if the state of one
// run does not lead to the next.
it('runs the example, keeps the tables that did not fail, and continues from there', async () => {
  const world = await platformWorld(true);
  const [meltano, jsonl] = await Promise.all([programsOf('meltano'), programsOf('target-jsonl')]);
  const tap = await executable(world.folder, 'tap-incident-io');
  const project = join(world.folder, 'project');
  await mkdir(join(project, 'output'), { recursive: true });
  const yaml = (await readFile(example, 'utf8'))
    .replace('executable: tap-incident-io', `executable: ${tap}`)
    .replace('pip_url: target-jsonl==0.1.4', `executable: ${join(jsonl, 'target-jsonl')}`)
    .replace("        - '!users.email'\n", '')
    // Otherwise Meltano asks its hub what that loader is.
    .replace('variant: andyh1203', 'namespace: target_jsonl');
  await writeFile(join(project, 'meltano.yml'), yaml);
  const run = (): Promise<Ran> =>
    ran(join(meltano, 'meltano'), ['run', 'tap-incident-io', 'target-jsonl'], {
      cwd: project,
      env: {
        TAP_INCIDENT_IO_API_KEY: world.sandbox.key,
        TAP_INCIDENT_IO_BASE_URL: world.sandbox.url,
        MELTANO_SEND_ANONYMOUS_USAGE_STATS: 'false',
      },
    });
  const rowsOf = async (name: string): Promise<Row[]> => {
    const output = join(project, 'output');
    const files = (await readdir(output)).filter(
      (file) => file.startsWith(`${name}-`) && file.endsWith('.jsonl'),
    );
    const texts = await Promise.all(files.map((file) => readFile(join(output, file), 'utf8')));
    return texts.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line) as Row);
  };

  // The table can be found with this key, and then no longer be read.
  const mend = world.sandbox.fault({
    fault: { kind: 'error', status: 403 },
    table: 'users',
    when: ({ params }) => params.get('page_size') !== '1',
  });
  const first = await run();
  expect(first.code).not.toBe(0);
  expect(await rowsOf('incidents')).toHaveLength(60);
  expect(await rowsOf('users')).toHaveLength(0);

  mend();
  const [id] = idsOf(world.sandbox, 'incidents');
  world.sandbox.change('incidents', id!, { name: 'changed' });
  const second = await run();
  if (second.code !== 0) throw new Error(`${second.out}\n${second.err}`);
  expect(await rowsOf('users')).toHaveLength(idsOf(world.sandbox, 'users').length);
  expect(await rowsOf('incidents')).toHaveLength(61);
});
