import type { ScheduleSummary } from '@temporalio/client';
import { UsageError } from '../../errors.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostName } from '../../temporal/names.ts';
import { placeOf } from '../../warehouse/store/destination.ts';

/** The key in a schedule's memo that marks it as ours and names its connection. A memo never changes. */
export const marker = 'incident_io_source';

export type Owner = { readonly connection: string; readonly destination: string; readonly host: string };

/** The connection that a schedule belongs to; `undefined` if we did not make it. */
export function ownerOf({ memo }: Pick<ScheduleSummary, 'memo'>): Owner | undefined {
  return memo?.[marker] as Owner | undefined;
}

export function foreignSchedule(id: string): UsageError {
  return new UsageError(
    `The schedule ${id} was not made by incident-io-source.`,
    'Give this connection another name, or delete that schedule if it is not needed.',
  );
}

/** Throws `UsageError`, as two connections of the same name would overwrite each other's schedules. */
export function assertSameConnection({ connection, destination, host }: Owner, settings: Settings): void {
  if (placeOf(destination, host) === placeOf(settings.destination, hostName())) return;
  const [theirs, ours] =
    host === hostName()
      ? [destination, settings.destination]
      : [`${destination} on the host ${host}`, `${settings.destination} on the host ${hostName()}`];
  throw new UsageError(
    `A connection named ${connection} already syncs into ${theirs}; these settings sync into ${ours}.`,
    'Give this connection another name, or unlink the other one with its own settings first. If this is the same ' +
      'host under a new name, set INCIDENT_IO_SOURCE_HOST to the old one.',
  );
}

/** Whether a schedule's runs write to the destination of these settings, on whichever host. */
export function isSameDestination({ destination }: Owner, settings: string): boolean {
  return placeOf(destination, '') === placeOf(settings, '');
}

/** Whether a schedule's runs write to the destination of the settings on this host, or in a bucket. */
export function isOnThisHost({ destination, host }: Owner, settings: string): boolean {
  return placeOf(destination, host) === placeOf(settings, hostName());
}

/** For commands that find a connection by its name alone: the settings may be a copy, or edited. */
export function otherDestination(connection: string, theirs: string, ours: string): UsageError {
  return new UsageError(
    `The schedules of the connection ${connection} sync into ${theirs}, but these settings say ${ours}.`,
    'Use the settings of that connection, or give this one its own name and link it.',
  );
}
