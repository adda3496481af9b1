/** All tables, one line each. */
export { alerts } from './alerts.ts';
export { customFields } from './custom-fields.ts';
export { escalations } from './escalations.ts';
export { followUps } from './follow-ups.ts';
export { incidentRoles } from './incident-roles.ts';
export { incidentStatuses } from './incident-statuses.ts';
export { incidentTypes } from './incident-types.ts';
export { incidentUpdates } from './incident-updates.ts';
export { incidents } from './incidents.ts';
export { schedules } from './schedules.ts';
export { severities } from './severities.ts';
export { users } from './users.ts';
