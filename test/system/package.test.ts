import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, it, onTestFinished } from 'vitest';
import { settingsOf } from '../../src/settings/schema.ts';
import { temporaryFolder } from '../helpers/sync.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFile(join(root, file), 'utf8');

/** The environment of an ordinary shell: `npm test` sets variables that point its children to the checkout. */
const shell = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

/** Builds and packs a copy of the checkout, whose own build is in use. Returns the archive and the paths in it. */
async function pack(folder: string): Promise<{ archive: string; files: string[] }> {
  const copy = join(folder, 'checkout');
  await mkdir(copy);
  for (const entry of await readdir(root)) {
    if (!['.git', '.venv', 'dist', 'node_modules'].includes(entry)) {
      await cp(join(root, entry), join(copy, entry), { recursive: true });
    }
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  // A leftover of an earlier build, which must not be packed.
  await mkdir(join(copy, 'dist/src'), { recursive: true });
  await writeFile(join(copy, 'dist/src/gone.js'), '');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: copy,
    env: shell,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  return { archive: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

const consumer = `
import { incidentIoSource, type SyncTableResult, type WarehouseSource } from 'incident-io-source';
import { createActivities, folderStore, openWarehouse } from 'incident-io-source/worker';
export const source: WarehouseSource = incidentIoSource;
export const parts = [createActivities, folderStore, openWarehouse];
// @ts-expect-error if it were any, this would compile
export const name: number = incidentIoSource.name;
export const rows = (result: SyncTableResult): number => result.rows;
`;

it(
  'the package installs into an empty folder, syncs there and has types; the archive has nothing it does not need',
  { timeout: 180_000 },
  async () => {
    const folder = await temporaryFolder();
    const { archive, files } = await pack(folder);
    const expected =
      /^(dist\/((src|workflows|activities)\/.+\.(js|d\.ts)|console\/.+\.(html|js|css|svg)|workflow-bundle(-traced)?\.js)|(deploy|docs|examples)\/.+|(README|CHANGELOG)\.md|LICENSE|package\.json|temporal-cli\.txt|known-api\.json|incident-io\.schema\.json)$/;
    expect(files.filter((file) => !expected.test(file) || file.endsWith('gone.js'))).toEqual([]);
    const broken: string[] = [];
    for (const file of files.filter((file) => file.endsWith('.md'))) {
      for (const [, link] of (await textOf(file)).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
        const target = posix.join(posix.dirname(file), link!);
        if (!files.some((there) => there === target || there.startsWith(`${target}/`)))
          broken.push(`${file}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
    expect(files).toContain('dist/console/index.html');

    const place = join(folder, 'place');
    await mkdir(place);
    await writeFile(join(place, 'package.json'), '{ "private": true, "type": "module" }');
    const offline = ['--prefer-offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...offline, archive], { cwd: place, env: shell });
    const bin = join(place, 'node_modules/.bin/incident-io-source');
    const installed = async (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
      (await run(bin, args, { cwd: place, env: { ...shell, ...more } })).stdout;
    expect(await installed(['tables'])).toContain('incident_updates');

    const sandbox = spawn(bin, ['sandbox', '--port', '0', '--no-limits', '--incidents', '60', '--json'], {
      env: shell,
    });
    onTestFinished(() => void sandbox.kill());
    const [said] = (await once(sandbox.stdout, 'data')) as [Buffer];
    const { url, key } = JSON.parse(said.toString()) as { url: string; key: string };
    await installed(['sync', 'incidents', 'users', '--to', 'warehouse', '--base-url', url], {
      INCIDENT_IO_API_KEY: key,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
    });
    const counted = await installed(['query', '--json', 'SELECT count(*)::INT AS n FROM incidents']);
    expect(JSON.parse(counted)).toEqual([{ n: 60 }]);

    const served = spawn(bin, ['console', '--listen', '127.0.0.1:0'], {
      cwd: place,
      env: { ...shell, TEMPORAL_ADDRESS: inject('temporalAddress') },
    });
    onTestFinished(() => void served.kill());
    const [printed] = (await once(served.stdout, 'data')) as [Buffer];
    const [address] = /http:\S+/.exec(printed.toString())!;
    expect(await (await fetch(address)).text()).toContain('<div id="page">');

    await writeFile(join(place, 'consumer.ts'), consumer);
    const options = { module: 'nodenext', target: 'es2023', strict: true, outDir: 'out', types: [] };
    await writeFile(
      join(place, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }),
    );
    // Temporal's declarations have errors of their own; those of this package must have none.
    const tsc = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], {
      cwd: place,
    }).catch((error: { stdout: string }) => error);
    expect(
      tsc.stdout.split('\n').filter((line) => /^(consumer|node_modules\/incident-io)/.test(line)),
    ).toEqual([]);
    const imported = await run(
      process.execPath,
      [
        '-e',
        "import('./out/consumer.js').then(({ source, parts }) => console.log(source.name, parts.length))",
      ],
      { cwd: place },
    );
    expect(imported.stdout.trim()).toBe('incident_io 3');
  },
);

it('the Dockerfile copies only files that exist, and every file of the package outside dist', async () => {
  const [dockerfile, ignored] = [await textOf('Dockerfile'), await textOf('.dockerignore')];
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
    names!.split(' '),
  );
  const sent = [...ignored.matchAll(/^!(.+)$/gm)].map(([, name]) => name!);
  expect(new Set(sent)).toEqual(new Set(copied));
  const there = await readdir(root);
  expect(copied.filter((name) => !there.includes(name))).toEqual([]);
  const { files } = JSON.parse(await textOf('package.json')) as { files: string[] };
  const needed = files.filter((name) => /^[^/]+\.(json|txt)$/.test(name));
  expect(needed.filter((name) => !copied.includes(name))).toEqual([]);
});

it('the settings in the Kubernetes manifest are valid', async () => {
  const [, json] = /incident-io\.json: \|\n([^]+?)\n---/.exec(await textOf('deploy/kubernetes.yaml'))!;
  expect(settingsOf(JSON.parse(json!), '/etc/incident-io-source/incident-io.json')).toMatchObject({
    destination: '/data/warehouse',
  });
});
