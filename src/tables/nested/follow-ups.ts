import { followUps } from '../follow-ups.ts';
import { defineNested, joins } from './nested.ts';

export const followUpLabels = defineNested({
  name: 'follow_up_labels',
  description: 'One row is a label of a follow-up.',
  itemsOf: { table: followUps, path: 'labels[]', by: ['follow_up_id'] },
  primaryKey: ['follow_up_id', 'label'],
  columns: {
    follow_up_id: joins('follow_ups'),
    label: { type: 'text', description: 'The label.', from: ['value'] },
  },
});
