import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;

async function scriptFor(shell: string): Promise<string> {
  const { code, out } = await cli(['completion', shell]);
  expect(code).toBe(0);
  return out;
}

describe.runIf(hasBash)('the script for bash', () => {
  /** The completions that bash offers after these words, the last of which is being typed. */
  async function offered(...words: readonly string[]): Promise<string[]> {
    const file = join(await temporaryFolder(), 'completion.bash');
    await writeFile(file, await scriptFor('bash'));
    const complete = `source "$1"; shift; COMP_WORDS=(incident-io-source "$@"); COMP_CWORD=$#
      _incident_io_source; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['-c', complete, 'bash', file, ...words]).toString();
    return out.split('\n').filter((line) => line !== '');
  }

  it.each([
    [['statu'], ['status']],
    [['runs', 'sh'], ['show']],
    [['runs', 'show', '--se'], ['--settings']],
    [['sync', 'incident_u'], ['incident_updates']],
    [['completion', 'z'], ['zsh']],
    // A number is not a table.
    [['sync', '--give-up-after', ''], []],
  ])('completes %j', async (typed, expected) => {
    expect(await offered(...typed)).toEqual(expected);
  });

  it('completes files whose names have spaces', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'my tables'));
    expect(await offered('sync', '--to', join(folder, 'my'))).toEqual([join(folder, 'my tables')]);
  });
});

it.each(['zsh', 'fish'])('the script for %s offers every command, and the parts of one', async (shell) => {
  const script = await scriptFor(shell);
  for (const word of ['sync', 'doctor', 'completion', 'show', 'incident_updates', 'give-up-after']) {
    expect(script).toContain(word);
  }
});
