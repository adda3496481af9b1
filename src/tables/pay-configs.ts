import { defineTable } from './table.ts';

export const payConfigs = defineTable({
  name: 'pay_configs',
  description: 'One row says how time on call is paid; archived configurations are not listed by the API.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/pay_configs',
  records: 'pay_configs',
  scope: 'schedule_pay_configs.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the pay configuration.' },
    base_rate_cents: {
      type: 'bigint',
      required: true,
      description: 'Rate outside all rules, in the smallest unit of the currency.',
    },
    currency: { type: 'text', required: true, description: 'Currency, by its ISO 4217 code.' },
    name: { type: 'text', required: true, description: 'Name of the configuration.' },
    one_off_rules: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the rules for single windows of time, such as a public holiday.',
    },
    published_at: {
      type: 'timestamp',
      description: 'When a report that used the configuration was first published.',
    },
    rate_time_unit: { type: 'text', required: true, description: 'Unit of time of the rates: hour or day.' },
    timezone: { type: 'text', required: true, description: 'Time zone of the rules.' },
    weekly_rules: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the rules that hold every week.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the configuration was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the configuration last changed.' },
  },
});
