import type { SandboxTable } from '../endpoints.ts';
import { createAccount, listSource } from './account.ts';
import { createAlerts } from './alerts.ts';
import { createEscalations } from './escalations.ts';
import { createFollowUps } from './follow-ups.ts';
import { createIncidentUpdates } from './incident-updates.ts';
import { createIncidents } from './incidents.ts';
import { createSchedules } from './schedules.ts';
import type { Sizes, Source, Span } from './source.ts';
import { createUsers } from './users.ts';

/** The generated rows of every table. They refer to each other. */
export function createSources(seed: number, sizes: Sizes, span: Span): Record<SandboxTable, Source> {
  if (sizes.incidents === 0 && sizes.incident_updates + sizes.follow_ups > 0) {
    throw new RangeError('incident_updates and follow_ups belong to incidents: give incidents a size too');
  }
  const account = createAccount(seed, span);
  const users = createUsers(seed, sizes.users, span);
  const incidents = createIncidents(seed, sizes.incidents, span, account, users);
  const alerts = createAlerts(seed, sizes.alerts, span, account);
  return {
    incidents,
    incident_updates: createIncidentUpdates(seed, sizes.incident_updates, span, account, incidents, users),
    follow_ups: createFollowUps(seed, sizes.follow_ups, span, account, incidents, users),
    alerts,
    escalations: createEscalations(seed, sizes.escalations, span, account, incidents, alerts, users),
    users,
    schedules: createSchedules(seed, sizes.schedules, span, account, users),
    severities: listSource(account.severities, seed, 11, span),
    incident_roles: listSource(account.roles, seed, 12, span),
    incident_statuses: listSource(account.statuses, seed, 13, span),
    incident_types: listSource(account.types, seed, 14, span),
    custom_fields: listSource(account.customFields, seed, 15, span),
  };
}
