/** Tables that are enough for a test about something else than the tables: with them it ends sooner. */
export const usualTables = [
  'incidents',
  'incident_updates',
  'follow_ups',
  'alerts',
  'escalations',
  'users',
  'schedules',
  'severities',
  'incident_roles',
  'incident_statuses',
  'incident_types',
  'custom_fields',
] as const;
