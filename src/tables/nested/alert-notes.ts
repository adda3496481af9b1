import { alertNotes } from '../alert-notes.ts';
import { defineNested, joins } from './nested.ts';

export const alertNoteImages = defineNested({
  name: 'alert_note_images',
  description: 'One row is an image in a note on an alert; its link never leaves the API.',
  itemsOf: { table: alertNotes, path: 'images[]', by: ['alert_note_id'] },
  primaryKey: ['alert_note_id', 'id'],
  columns: {
    alert_note_id: joins('alert_notes'),
    id: { type: 'text', description: 'Id of the image.' },
  },
});
