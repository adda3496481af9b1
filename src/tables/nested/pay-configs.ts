import { payConfigs } from '../pay-configs.ts';
import { defineNested, joins, position } from './nested.ts';

export const payConfigWeeklyRules = defineNested({
  name: 'pay_config_weekly_rules',
  description: 'One row is a rate that a pay configuration pays on certain hours of the week.',
  itemsOf: { table: payConfigs, path: 'weekly_rules[]', by: ['pay_config_id'], position: 'position' },
  primaryKey: ['pay_config_id', 'id'],
  columns: {
    pay_config_id: joins('pay_configs'),
    id: { type: 'text', description: 'Id of the rule.' },
    position: { type: 'bigint', description: 'Place among the rules, from 1: an earlier rule comes first.' },
    weekdays: { type: 'json', description: 'List of the days of the week.' },
    start_time: { type: 'text', description: 'Time of day from which the rate applies.' },
    end_time: { type: 'text', description: 'Time of day until which the rate applies.' },
    rate_cents: {
      type: 'bigint',
      description: 'The rate for each pay_configs.rate_time_unit, in the smallest unit of the currency.',
    },
  },
});

export const payConfigOneOffRules = defineNested({
  name: 'pay_config_one_off_rules',
  description: 'One row is a rate that a pay configuration pays once, such as on a holiday.',
  itemsOf: { table: payConfigs, path: 'one_off_rules[]', by: ['pay_config_id'], position: 'position' },
  primaryKey: ['pay_config_id', 'id'],
  columns: {
    pay_config_id: joins('pay_configs'),
    id: { type: 'text', description: 'Id of the rule.' },
    position,
    name: { type: 'text', description: 'Name of the rule.' },
    start_at: { type: 'timestamp', description: 'When the rate begins to apply.' },
    end_at: { type: 'timestamp', description: 'When the rate stops applying.' },
    rate_cents: {
      type: 'bigint',
      description: 'The rate for each pay_configs.rate_time_unit, in the smallest unit of the currency.',
    },
  },
});
