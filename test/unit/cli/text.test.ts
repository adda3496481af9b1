import { expect, it } from 'vitest';
import { shellWord, wrapped } from '../../../src/cli/terminal/text.ts';

it('breaks lines between words, and indents what follows', () => {
  expect(wrapped('error: one two three\n  → four five six', 14)).toBe(
    ['error: one two', 'three', '  → four five', '    six'].join('\n'),
  );
});

it('leaves a long path, a command and a text without a limit as they are', () => {
  const path = '/data/incident-io/warehouse';
  expect(wrapped(`in ${path} now`, 10)).toBe(`in\n${path}\nnow`);
  const command = '  incident-io-source trigger alerts incidents';
  expect(wrapped(command, 20)).toBe(command);
  expect(wrapped('one two three', Number.POSITIVE_INFINITY)).toBe('one two three');
});

it.each([
  ['prod/incident-io.json', 'prod/incident-io.json'],
  ['my settings.json', "'my settings.json'"],
  ["it's.json", `'it'\\''s.json'`],
])('writes %s as a shell takes it', (word, typed) => {
  expect(shellWord(word)).toBe(typed);
});
