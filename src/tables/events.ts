import { tables } from './index.ts';
import type { Table } from './table.ts';

/** Events that do not concern any table: the tables do not record who may see a private incident. */
export const eventsOfNoTable: readonly string[] = [
  'private_incident.membership_granted',
  'private_incident.membership_revoked',
];

/**
 * The tables that a webhook event concerns; `undefined` for an event that no declaration knows. The version is left
 * out of the comparison: the row comes from the API, so another shape of the event changes nothing.
 * @param type as the event gives it, such as `public_incident.incident_updated_v2`
 */
export function tablesOfEvent(type: string): readonly Table[] | undefined {
  const name = type.replace(/_v\d+$/, '');
  if (eventsOfNoTable.includes(name)) return [];
  const concerned = tables.filter(({ events }) => events?.includes(name));
  return concerned.length > 0 ? concerned : undefined;
}
