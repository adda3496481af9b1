import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { KeyMissingError, UsageError } from '../../../src/errors.ts';
import { hideSecrets } from '../../../src/secrets.ts';
import { resolveSecrets } from '../../../src/webhooks/secrets.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

const secretOf = (text: string) => `whsec_${Buffer.from(text).toString('base64')}`;

async function inFile(text: string): Promise<{ readonly file: string }> {
  const file = join(await temporaryFolder(), 'secret');
  await writeFile(file, text);
  return { file };
}

it('reads one signing secret or, while it is replaced, two, and no log line shows them', async () => {
  const [one, other] = [secretOf('one that is long enough'), secretOf('another long enough one')];
  expect(await resolveSecrets(await inFile(`${one}\n`))).toHaveLength(1);
  expect(await resolveSecrets(await inFile(`${one}\n${other}\n`))).toHaveLength(2);
  expect(hideSecrets(`the secrets ${one} and ${other}`)).not.toMatch(/whsec/);
});

it('says where a secret is missing', async () => {
  const missing = resolveSecrets({ env: 'NO_SUCH_VARIABLE' });
  await expect(missing).rejects.toThrow(KeyMissingError);
  await expect(missing).rejects.toThrow('NO_SUCH_VARIABLE');
  await expect(resolveSecrets(await inFile(' \n'))).rejects.toThrow(KeyMissingError);
});

it.each([
  ['an API key', 'inc_0123456789abcdef0123456789'],
  ['a secret that was cut off', 'whsec_MfKQ'],
  ['three secrets', Array.from({ length: 3 }, (_, n) => secretOf(`secret number ${n} of them`)).join(' ')],
])('refuses %s without quoting it', async (_what, text) => {
  const refused = resolveSecrets(await inFile(text));
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.not.toThrow(text.slice(0, 10));
});
