import { closest } from 'fastest-levenshtein';

import { UsageError } from '../errors.ts';
import { alerts } from './alerts.ts';
import { customFields } from './custom-fields.ts';
import { escalations } from './escalations.ts';
import { followUps } from './follow-ups.ts';
import { incidentRoles } from './incident-roles.ts';
import { incidentStatuses } from './incident-statuses.ts';
import { incidentTypes } from './incident-types.ts';
import { incidentUpdates } from './incident-updates.ts';
import { incidents } from './incidents.ts';
import { schedules } from './schedules.ts';
import { severities } from './severities.ts';
import type { Table } from './table.ts';
import { users } from './users.ts';

/** Every table, in the order they are listed to people. */
export const tables: readonly Table[] = [
  incidents,
  incidentUpdates,
  followUps,
  alerts,
  escalations,
  users,
  schedules,
  severities,
  incidentRoles,
  incidentStatuses,
  incidentTypes,
  customFields,
];

/** The table of this name; a UsageError that names the nearest one if there is none. */
export function tableNamed(name: string): Table {
  const table = tables.find((table) => table.name === name);
  if (table !== undefined) return table;
  const names = tables.map((table) => table.name);
  throw new UsageError(
    `There is no table ${JSON.stringify(name)}.`,
    `Did you mean ${closest(name, names)}? The tables are ${names.join(', ')}.`,
  );
}
