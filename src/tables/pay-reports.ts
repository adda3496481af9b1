import { defineTable } from './table.ts';

export const payReports = defineTable({
  name: 'pay_reports',
  description: 'One row is a report of what is owed for time on call; the API lists totals only.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/pay_reports',
  records: 'pay_reports',
  scope: 'schedule_reports.view',
  paging: { kind: 'pages', pageSize: 50 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the pay report.' },
    creator: { type: 'json', description: 'Who created the report.', personal: true },
    creator_user_id: { type: 'text', description: 'Joins users.id.', from: ['creator', 'user', 'id'] },
    end_date: { type: 'text', required: true, description: 'Last date of the report, included.' },
    error_code: {
      type: 'text',
      description: 'Why the report could not be made: invalid_request or timed_out.',
    },
    error_message: {
      type: 'text',
      description: 'Why the report could not be made, as text.',
      personal: true,
    },
    name: { type: 'text', required: true, description: 'Name of the report.' },
    overlapping_shifts: {
      type: 'text',
      required: true,
      description: 'How time on several schedules at once is paid: paid_once or paid_per_schedule.',
    },
    published_at: { type: 'timestamp', description: 'When the report was published; empty for a draft.' },
    schedule_ids: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the ids of the schedules it covers.',
    },
    start_date: { type: 'text', required: true, description: 'First date of the report, included.' },
    status: {
      type: 'text',
      required: true,
      description: 'How far the report is: pending, generating, complete or failed.',
    },
    total_duration_seconds: { type: 'bigint', description: 'Seconds on call of all shifts.' },
    total_pay_by_currency: { type: 'json', description: 'Total owed by currency, in its smallest unit.' },
    unpaid_shifts: {
      type: 'text',
      required: true,
      description: 'Whether shifts that are not paid are included: included or excluded.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the report was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the report last changed.' },
  },
});
