import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A document without its code blocks: their content is not a link, a heading or a path of this checkout. */
function proseOf(file: string): string {
  return textOf(file).replaceAll(/^ *```[^]*?^ *```/gm, '');
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  const times = new Map<string, number>();
  return [...proseOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const slug = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const earlier = times.get(slug) ?? 0;
    times.set(slug, earlier + 1);
    return earlier === 0 ? slug : `${slug}-${earlier}`;
  });
}

describe.each(documents)('%s', (file) => {
  it('links to files and headings that exist: one was moved or renamed', () => {
    const links = [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files and folders of the code that exist: one was moved and is still named by its old path', () => {
    const rooms = 'src|workflows|activities|test|bench|scripts|examples|deploy|docs';
    const named = proseOf(file).matchAll(new RegExp(`\`((?:${rooms})/[\\w./@-]*)\``, 'g'));
    expect([...named].map(([, path]) => path!).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

it('keeps the README short enough to be read: at most 200 lines of 120 characters', () => {
  const lines = textOf('README.md').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(200);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

it('draws the tree of rooms as it is: a folder of src, or one next to it, is new or gone', () => {
  const tree = /^```\n(src\/tables[^]*?)^```/m.exec(textOf('docs/architecture.md'))![1]!;
  let room = '';
  const drawn = [...tree.matchAll(/^( *)([\w-]+(?:\/[\w-]+)*)\//gm)].map(([, indent, path]) => {
    if (indent !== '') return `${room}/${path!}`;
    room = path!;
    return room;
  });
  const foldersIn = (folder: string) =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [folder === '' ? entry.name : `${folder}/${entry.name}`] : [],
    );
  expect(drawn.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(foldersIn('src').filter((path) => !drawn.includes(path))).toEqual([]);
  expect(foldersIn('src/warehouse').filter((path) => !drawn.includes(path))).toEqual([]);
});

it('gives every decision an id of its own: code that cites one would mean two', () => {
  const ids = [...textOf('docs/decisions.md').matchAll(/^- \*\*([A-Z]-\d+) /gm)].map(([, id]) => id!);
  expect(ids.length).toBeGreaterThan(50);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

it.each(['Dockerfile', ...readdirSync(join(root, 'deploy')).map((name) => `deploy/${name}`)])(
  'refers from %s to documents that exist: people who deploy it would otherwise search in vain',
  (file) => {
    const named = [...textOf(file).matchAll(/\bdocs\/[\w-]+\.md/g)].map(([path]) => path);
    expect(named.filter((path) => !documents.includes(path))).toEqual([]);
  },
);

it('shows the real change: a table’s declaration has changed since the document was written', () => {
  const [, patch] = /^```diff\n([^]*?)^```/m.exec(textOf('docs/adding-a-table.md'))!;
  expect(() =>
    execFileSync('git', ['apply', '--reverse', '--check', '-'], { cwd: root, input: patch! }),
  ).not.toThrow();
});
