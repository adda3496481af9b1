import { payReports } from '../pay-reports.ts';
import { defineNested, joins } from './nested.ts';

export const payReportSchedules = defineNested({
  name: 'pay_report_schedules',
  description: 'One row is a schedule that a pay report is about.',
  itemsOf: { table: payReports, path: 'schedule_ids[]', by: ['pay_report_id'] },
  primaryKey: ['pay_report_id', 'schedule_id'],
  columns: { pay_report_id: joins('pay_reports'), schedule_id: joins('schedules', ['value']) },
});

export const payReportTotals = defineNested({
  name: 'pay_report_totals',
  description: 'One row is the total of a pay report in a currency.',
  itemsOf: {
    table: payReports,
    path: 'total_pay_by_currency{}',
    by: ['pay_report_id'],
    entry: 'currency',
  },
  primaryKey: ['pay_report_id', 'currency'],
  columns: {
    pay_report_id: joins('pay_reports'),
    currency: { type: 'text', description: 'The currency, such as USD.' },
    total_cents: {
      type: 'bigint',
      description: 'The total, in the smallest unit of the currency.',
      from: ['value'],
    },
  },
});
