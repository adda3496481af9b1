import type { Table } from '../../tables/table.ts';
import { endpointOf } from '../endpoints.ts';
import { createAccount, listSource, type Account } from './account.ts';
import { createAlerts } from './alerts.ts';
import { createEscalations } from './escalations.ts';
import { createFollowUps } from './follow-ups.ts';
import { GeneratedRows } from './generated.ts';
import { createIncidentUpdates } from './incident-updates.ts';
import { createIncidents } from './incidents.ts';
import { type Referenced, withReferenced } from './referenced.ts';
import { createSchedules } from './schedules.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { createUsers } from './users.ts';

/** The short lists that every account has, whatever its size; with the salt of their ids. */
export const fixedLists: {
  readonly [table: string]: {
    readonly salt: number;
    readonly of: (account: Account) => readonly ApiRecord[];
  };
} = {
  severities: { salt: 11, of: ({ severities }) => severities },
  incident_roles: { salt: 12, of: ({ roles }) => roles },
  incident_statuses: { salt: 13, of: ({ statuses }) => statuses },
  incident_types: { salt: 14, of: ({ types }) => types },
  custom_fields: { salt: 15, of: ({ customFields }) => customFields },
};

/** The rows of generated tables that rows written by hand refer to. */
const referencedByHand: { readonly [table: string]: (account: Account) => readonly Referenced[] } = {
  teams: ({ teams }) => teams,
  alert_sources: ({ alertSources }) => alertSources,
  escalation_paths: ({ escalationPaths }) => escalationPaths,
  catalog_types: ({ serviceTypeId }) => [{ id: serviceTypeId, name: 'Service' }],
};

/**
 * The rows of every table, which refer to each other: written by hand for the tables that the demo shows, generated
 * from the declaration for all others.
 */
export function createSources(
  seed: number,
  sizeOf: (table: string) => number,
  span: Span,
  tables: readonly Table[],
): (table: string) => Source {
  const account = createAccount(seed, span);
  const made = writtenByHand(seed, sizeOf, span, account);
  const declared = new Map(tables.map((table) => [table.name, table]));
  const inProgress = new Set<string>();
  const find = (name: string): Source | undefined => {
    const known = made.get(name);
    const table = declared.get(name);
    if (known !== undefined || table === undefined) return known;
    // It refers to itself, or to a table that refers to it.
    if (inProgress.has(name)) return undefined;
    inProgress.add(name);
    const { choices = [] } = endpointOf(table, tables);
    const generated = new GeneratedRows(table, sizeOf(name), choices, { seed, span, tables, find });
    const referenced = referencedByHand[name]?.(account);
    const source = referenced ? withReferenced(generated, referenced) : generated;
    inProgress.delete(name);
    made.set(name, source);
    return source;
  };
  return (name) => {
    const source = find(name);
    if (source === undefined) throw new RangeError(`there is no table ${name}`);
    return source;
  };
}

function writtenByHand(
  seed: number,
  sizeOf: (table: string) => number,
  span: Span,
  account: Account,
): Map<string, Source> {
  if (sizeOf('incidents') === 0 && sizeOf('incident_updates') + sizeOf('follow_ups') > 0) {
    throw new RangeError('incident_updates and follow_ups belong to incidents: give incidents a size too');
  }
  const users = createUsers(seed, sizeOf('users'), span);
  const incidents = createIncidents(seed, sizeOf('incidents'), span, account, users);
  const alerts = createAlerts(seed, sizeOf('alerts'), span, account);
  const ofIncidents = (create: typeof createFollowUps, table: string) =>
    create(seed, sizeOf(table), span, account, incidents, users);
  return new Map<string, Source>([
    ['incidents', incidents],
    ['incident_updates', ofIncidents(createIncidentUpdates, 'incident_updates')],
    ['follow_ups', ofIncidents(createFollowUps, 'follow_ups')],
    ['alerts', alerts],
    ['escalations', createEscalations(seed, sizeOf('escalations'), span, account, incidents, alerts, users)],
    ['users', users],
    ['schedules', createSchedules(seed, sizeOf('schedules'), span, account, users)],
    ...Object.entries(fixedLists).map(
      ([table, { salt, of }]) => [table, listSource(of(account), seed, salt, span)] as const,
    ),
  ]);
}
