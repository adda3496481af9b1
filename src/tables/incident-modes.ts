import type { Passes } from './table.ts';

/** Reads a list once per incident mode: without the parameter the API leaves out some of them. */
export const everyIncidentMode = {
  param: 'incident_mode',
  values: ['standard', 'retrospective', 'test', 'tutorial', 'stream'],
  column: 'incident_mode',
} as const satisfies Passes;
