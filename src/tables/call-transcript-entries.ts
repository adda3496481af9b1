import { defineTable } from './table.ts';

export const callTranscriptEntries = defineTable({
  name: 'call_transcript_entries',
  description: 'One row is something that someone said in a call.',
  group: 'Incidents',
  selectedBy: 'name',
  path: '/v2/call_transcript_entries',
  parent: {
    table: 'call_sessions',
    params: [{ name: 'call_session_id', in: 'query', column: 'id' }],
    columns: { call_session_id: 'id', incident_id: 'incident_id' },
    // The transcript of a call keeps growing until the call ends.
    open: [{ column: 'ended_at', oneOf: [null] }],
  },
  records: 'call_transcript_entries',
  scope: 'call_transcripts.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the entry.' },
    call_session_id: { type: 'text', description: 'Joins call_sessions.id.' },
    content: { type: 'text', required: true, description: 'What was said.', personal: true },
    incident_id: { type: 'text', description: 'Joins incidents.id.' },
    medium: { type: 'text', required: true, description: 'How it was said: spoken or call_chat.' },
    participant_name: {
      type: 'text',
      required: true,
      description: 'Name of the person who said it.',
      personal: true,
    },
    timestamp: { type: 'timestamp', required: true, description: 'When it was said.' },
  },
});
