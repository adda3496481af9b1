import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { applySchedules, planApply, type TableChange } from '../../connections/apply.ts';
import { checkedAccount } from '../../connections/account.ts';
import { neighboursOf } from '../../connections/schedule/neighbours.ts';
import { UsageError } from '../../errors.ts';
import { defined } from '../../defined.ts';
import { parseSettings } from '../../settings/file.ts';
import { settingsOf } from '../../settings/schema.ts';
import type { Settings } from '../../settings/settings.ts';
import { settingsText, writeSettings } from '../../settings/write.ts';
import { withDestination } from '../../warehouse/open-warehouse.ts';
import type { Answer } from '../contract.ts';
import type { ChangeRequest, PlannedChange } from '../contract/sources.ts';
import type { ConsoleWorld } from '../world.ts';
import { differenceOf } from './difference.ts';
import { changesJson, neighboursJson } from './json.ts';
import { failuresJson } from '../problem-json.ts';

/** Plans a change to the settings, as `apply` would show it. Throws what `apply` throws for the same file. */
export async function planChange(
  file: string,
  request: ChangeRequest,
  world: ConsoleWorld,
  signal: AbortSignal,
): Promise<PlannedChange> {
  const { before, settings } = await changedSettings(file, request);
  const { changes, unread } = await plannedSchedules(settings, world, signal);
  const isAdding = changes.some(({ change }) => change === 'create');
  const neighbours = isAdding ? await neighboursOf(world.client, settings) : [];
  return {
    seen: seenOf(before),
    file,
    lines: differenceOf(before, settingsText(file, settings)),
    changes: changesJson(settings, changes),
    neighbours: neighboursJson(settings, neighbours),
    notes: failuresJson(unread),
  };
}

/** Writes the settings and updates the schedules, unless the file has changed since the plan was made. */
export async function changeNow(
  file: string,
  { seen, ...request }: ChangeRequest & { readonly seen: string },
  world: ConsoleWorld,
  signal: AbortSignal,
): Promise<Answer<'change'>> {
  const { before, settings } = await changedSettings(file, request);
  if (seenOf(before) !== seen) {
    throw new UsageError(
      `${file} was changed since the difference was shown.`,
      'Nothing was changed: look at the difference again.',
    );
  }
  const { changes } = await plannedSchedules(settings, world, signal);
  await writeSettings(file, settings, { replace: true });
  const { unanswered } = await applySchedules(world.client, settings, changes, world.signal);
  return { changes: changesJson(settings, changes), unanswered: [...unanswered] };
}

function seenOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

async function changedSettings(
  file: string,
  { tables = {}, remove = [], retention }: ChangeRequest,
): Promise<{ readonly before: string; readonly settings: Settings }> {
  if ((await lstat(file)).isSymbolicLink()) {
    // Writing would replace the link with a file, and relative paths in the settings would then mean other places.
    throw new UsageError(`${file} is a symbolic link.`, 'Edit the file that it points to, then run apply.');
  }
  const before = await readFile(file, 'utf8');
  const { settings } = await parseSettings(before, file);
  const kept = Object.entries(settings.tables).filter(([table]) => !remove.includes(table));
  const written = {
    ...settings,
    tables: { ...Object.fromEntries(kept), ...tables },
    ...defined({ retention }),
  };
  return { before, settings: settingsOf(written, file) };
}

/** Throws `AccountMismatchError`, and what `planApply` throws. */
async function plannedSchedules(settings: Settings, { client }: ConsoleWorld, signal: AbortSignal) {
  return withDestination(settings.destination, async (warehouse) => {
    const { account, unread } = await checkedAccount(warehouse, settings, signal);
    const changes: readonly TableChange[] = await planApply(client, settings, account);
    return { changes, unread };
  });
}
