import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';
import { expect, it } from 'vitest';
import { cli } from '../helpers/cli.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The descriptions of tables are in docs/tables.md, and the sandbox's texts are invented data. */
const rooms = ['activities', 'workflows', 'src'];
const elsewhere = /^src\/(tables|sandbox)\/|\.d\.ts$/;

type Node = { readonly type?: string; readonly [key: string]: unknown };

/** The texts in a part of a program that people may read: three words or more, and not SQL. */
function textsIn(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const item of node) textsIn(item, found);
  else if (typeof node === 'object' && node !== null) {
    const { type, ...parts } = node as Node;
    if (type === 'ImportDeclaration' || type === 'RegExpLiteral') return found;
    if (type === 'StringLiteral') keep(String(parts['value']), found);
    if (type === 'TemplateLiteral') {
      const quasis = parts['quasis'] as readonly { readonly cooked?: string }[];
      keep(quasis.map(({ cooked = '' }) => cooked).join('…'), found);
    }
    for (const part of Object.values(parts)) textsIn(part, found);
  }
  return found;
}

function keep(text: string, found: string[]): void {
  const words = text.split(/\s+/).filter((word) => /\p{Letter}{2}/u.test(word));
  const isSql = /\b(SELECT|FROM|CREATE|COPY|WHERE|INSERT|PRAGMA|INSTALL)\b/.test(text);
  if (words.length >= 3 && !isSql) found.push(text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ '));
}

function sourceFiles(): string[] {
  const all = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => `${room}/${name}`),
  );
  return all.filter((name) => name.endsWith('.ts') && !elsewhere.test(name)).sort();
}

// Fails when a text that people read has changed, so that rewording is one diff to review: accept it with -u.
it('keeps every text that people read in one place', async () => {
  const chapters = sourceFiles().flatMap((name) => {
    const program = parseSync(readFileSync(join(root, name), 'utf8'), { syntax: 'typescript' });
    const texts = textsIn(program.body);
    return texts.length === 0 ? [] : [`${name}\n${texts.map((text) => `  ${text}`).join('\n')}`];
  });
  await expect(`${chapters.join('\n\n')}\n`).toMatchFileSnapshot('../texts/messages.txt');
});

it('keeps the help of every command as a terminal of 80 columns shows it', async () => {
  const help = async (argv: readonly string[]) => (await cli([...argv, '--help'])).out;
  const overview = await help([]);
  const commands = [...overview.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name!);
  expect(commands.length).toBeGreaterThan(15);
  const pages = [overview];
  for (const command of commands) if (command !== 'help') pages.push(await help([command]));
  await expect(pages.join(`\n${'─'.repeat(80)}\n\n`)).toMatchFileSnapshot('../texts/help.txt');
});
