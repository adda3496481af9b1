import { defineTable } from './table.ts';

export const incidentAlerts = defineTable({
  name: 'incident_alerts',
  description: 'One row links an alert to an incident.',
  group: 'Alerts',
  selectedBy: 'all',
  path: '/v2/incident_alerts',
  records: 'incident_alerts',
  scope: 'alerts.view',
  paging: { kind: 'pages', pageSize: 50 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the link.' },
    alert: {
      type: 'json',
      required: true,
      description: 'The alert in short, as it was when the link was read.',
      personal: true,
    },
    alert_id: { type: 'text', description: 'Joins alerts.id.', from: ['alert', 'id'] },
    alert_route_id: { type: 'text', description: 'Joins alert_routes.id: the route that made the link.' },
    incident: {
      type: 'json',
      required: true,
      description: 'The incident in short, as it was when the link was read.',
      personal: true,
    },
    incident_id: { type: 'text', description: 'Joins incidents.id.', from: ['incident', 'id'] },
  },
});
