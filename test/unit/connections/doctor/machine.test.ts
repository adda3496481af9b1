import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DestinationError } from '../../../../src/errors.ts';
import { look, ok } from '../../../../src/connections/doctor/finding.ts';
import {
  clockVerdict,
  diskVerdict,
  filesVerdictOf,
  proxyVerdict,
} from '../../../../src/connections/doctor/machine.ts';
import { temporaryFolder } from '../../../helpers/sync.ts';

describe('look', () => {
  it('turns an error that has a remedy into a finding, and lets a defect through', async () => {
    const refused = await look('destination', () => {
      throw new DestinationError('/x cannot be written to', 'name another');
    });
    expect(refused).toEqual({
      check: 'destination',
      state: 'wrong',
      error: 'DestinationError',
      message: '/x cannot be written to',
      advice: 'name another',
    });
    await expect(look('disk', () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
    expect(await look('disk', () => ok('fine'))).toEqual({ check: 'disk', state: 'ok', message: 'fine' });
  });
});

describe('the clock', () => {
  const now = Date.parse('2026-11-28T12:00:00Z');

  it.each([
    [now, 'ok'],
    // Answers take a while, and the header has whole seconds.
    [now - 5_000, 'ok'],
    [now + 3_600_000, 'wrong'],
    [now - 120_000, 'wrong'],
    [undefined, 'skipped'],
  ])('answered at %s is %s', (answeredAt, state) => {
    expect(clockVerdict(answeredAt, now).state).toBe(state);
  });

  it('says which of the two is ahead', () => {
    expect(clockVerdict(now - 120_000, now).message).toMatch(/120 s ahead/);
    expect(clockVerdict(now + 120_000, now).message).toMatch(/120 s behind/);
  });
});

describe('open files', () => {
  const limits = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files   ${soft}   4096   files\n`;

  it('are too few below a thousand, and the remedy names both places to raise the limit', () => {
    const few = filesVerdictOf(limits('256'));
    expect(few).toMatchObject({ state: 'wrong', message: expect.stringContaining('256') as string });
    expect(few.advice).toMatch(/ulimit -n.*LimitNOFILE/);
    expect(filesVerdictOf(limits('20000')).state).toBe('ok');
    expect(filesVerdictOf(limits('unlimited')).state).toBe('ok');
  });
});

describe('proxy variables', () => {
  it('are shown without the password in them', () => {
    const { state, message } = proxyVerdict({
      HTTPS_PROXY: 'http://me:secret@proxy.example:3128',
      no_proxy: 'localhost',
    });
    expect(state).toBe('ok');
    expect(message).toContain('proxy.example:3128');
    expect(message).toContain('localhost');
    expect(message).not.toContain('secret');
  });

  it('that are not an address are wrong', () => {
    expect(proxyVerdict({ https_proxy: 'http://' })).toMatchObject({
      state: 'wrong',
      message: expect.stringContaining('https_proxy') as string,
    });
  });
});

it('looks at the disk of a folder that does not exist yet', async () => {
  const folder = join(await temporaryFolder(), 'not', 'yet');
  expect((await diskVerdict([folder])).message).toContain(folder);
});
