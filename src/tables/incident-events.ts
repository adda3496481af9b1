/** The events of incidents themselves, after which their rows or those of their updates may be new. */
export const incidentEvents = [
  'public_incident.incident_created',
  'public_incident.incident_updated',
  'public_incident.incident_status_updated',
  'private_incident.incident_created',
  'private_incident.incident_updated',
] as const;
