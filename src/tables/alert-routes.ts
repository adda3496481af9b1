import { defineTable } from './table.ts';

export const alertRoutes = defineTable({
  name: 'alert_routes',
  description: 'One row is a route that decides what happens to an alert; the API only lists its name.',
  group: 'Alerts',
  path: '/v3/alert_routes',
  records: 'alert_routes',
  scope: 'alert_routes.view',
  paging: { kind: 'pages', pageSize: 50 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the alert route.' },
    enabled: { type: 'boolean', required: true, description: 'Whether the route is enabled.' },
    name: { type: 'text', required: true, description: 'Name of the route.' },
  },
});
