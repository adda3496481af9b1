import { missingScopes } from '../../../connections/missing-scopes.ts';
import { CredentialsError, KeyMissingError, UsageError } from '../../../errors.ts';
import type { TablePermission } from '../../../incident-io/permissions.ts';
import { checkedKey } from '../../../settings/key.ts';
import type { Session } from '../../session.ts';
import { count } from '../../terminal/output.ts';
import { answerTo, clackText, streamsOf } from '../../terminal/prompts.ts';
import type { CheckedKey, LinkOptions } from './answers.ts';
import { checkKey, givenKey, givenReference, wantedTables } from './flags.ts';

/** A key that can read at least one table: the one that the options name, or one that is pasted. */
export async function askKey(session: Session, options: LinkOptions): Promise<CheckedKey> {
  if (givenReference(options) !== undefined || options.keyStdin) {
    const given = await askScopes(session, options, await givenKey(session, options));
    if (given) return given;
  }
  const { log } = await import('@clack/prompts');
  const scopes = [...new Set(wantedTables(options).flatMap(({ scope }) => scope ?? []))];
  log.message(
    clackText(
      session,
      'Create an API key in incident.io under Settings → API keys. Tick the view permission of each resource that ' +
        `you want to sync:\n${indented(scopes)}\nPrivate incidents are synced only with “View all incident data, ` +
        'including private incidents”.',
    ),
    streamsOf(session),
  );
  for (;;) {
    const pasted = await pastedKey(session, options);
    const checked = pasted && (await askScopes(session, options, pasted));
    if (checked) return checked;
  }
}

/** `undefined` if incident.io does not accept the key. */
async function pastedKey(session: Session, options: LinkOptions): Promise<CheckedKey | undefined> {
  const { log, password } = await import('@clack/prompts');
  const streams = streamsOf(session);
  const pasted = await answerTo(
    password({ message: 'Paste the API key', clearOnError: true, validate: problemOfKey, ...streams }),
  );
  try {
    return await checkKey(session, options, checkedKey(pasted, 'the input'));
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    log.error('incident.io does not accept this key.', streams);
    return undefined;
  }
}

function problemOfKey(text: string | undefined): string | undefined {
  try {
    checkedKey(text, 'the input');
    return undefined;
  } catch (error) {
    if (error instanceof UsageError || error instanceof KeyMissingError) return error.message;
    throw error;
  }
}

/**
 * Shows the scopes that the key lacks, and checks the key again as often as asked, while the user grants them.
 * @returns the key with what it can read now; `undefined` to use another key
 */
async function askScopes(
  session: Session,
  options: LinkOptions,
  first: CheckedKey,
): Promise<CheckedKey | undefined> {
  const { log, select } = await import('@clack/prompts');
  const wanted = new Set(wantedTables(options).map(({ name }) => name));
  let checked = first;
  for (;;) {
    const { key, reference } = checked;
    const permissions = checked.permissions.filter(({ table }) => wanted.has(table));
    const readable = permissions.filter(({ allowed }) => allowed).length;
    if (readable === permissions.length) return checked;
    log.warn(clackText(session, lackOf(permissions)), streamsOf(session));
    const next = await answerTo(
      select({
        message: `The key can read ${readable} of ${count(permissions.length, 'table')}`,
        options: [
          ...(readable > 0
            ? [{ value: 'continue', label: 'Continue with the tables that it can read' }]
            : []),
          { value: 'again', label: 'Check again, after granting the scopes' },
          { value: 'other', label: 'Paste another key' },
        ],
        ...streamsOf(session),
      }),
    );
    if (next === 'continue') return checked;
    if (next === 'other') return undefined;
    checked = await checkKey(session, options, key, reference);
  }
}

/** What the key lacks, one scope or table per line. */
function lackOf(permissions: readonly TablePermission[]): string {
  const scopes = missingScopes(permissions);
  if (scopes.length > 0) {
    return `The key lacks these scopes. Grant them in incident.io under Settings → API keys:\n${indented(scopes)}`;
  }
  return permissions
    .flatMap((permission) => (permission.allowed ? [] : [`${permission.table}: ${permission.message}`]))
    .join('\n');
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n');
}
