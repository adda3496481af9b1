import { defineTable } from './table.ts';

export const callRoutes = defineTable({
  name: 'call_routes',
  description: 'One row is a phone number, and what happens when someone calls it.',
  group: 'On-call',
  selectedBy: 'all',
  path: '/v2/call_routes',
  records: 'call_routes',
  scope: 'call_routes.view',
  paging: { kind: 'pages', pageSize: 250 },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the call route.' },
    allowed_callers: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the numbers that may call, if use_caller_allowlist is true.',
      personal: true,
    },
    country_code: { type: 'text', description: 'Country of the number.' },
    current_state: {
      type: 'text',
      required: true,
      description:
        'How far the number is set up: pending, pending_regulatory_information, pending_number or active.',
    },
    custom_language: {
      type: 'text',
      required: true,
      description: 'Language of the voice prompts: en-US, en-GB, fr-FR, es-ES, pt-PT, pt-BR, de-DE or nl-NL.',
    },
    name: { type: 'text', required: true, description: 'Name of the route.' },
    options: {
      type: 'json',
      list: true,
      required: true,
      description: 'Menu that callers choose from; empty if they are routed down the path.',
      personal: true,
    },
    path: {
      type: 'json',
      list: true,
      required: true,
      description: 'Tree of who is paged when a call comes in.',
      personal: true,
    },
    phone_number: { type: 'text', description: 'Number that people call.', personal: true },
    phone_number_type: {
      type: 'text',
      description: 'Kind of the number: toll_free, mobile, national or local.',
    },
    responder_caller_id: {
      type: 'text',
      required: true,
      description: 'Number that responders see: route_number or oncall_number.',
    },
    use_caller_allowlist: {
      type: 'boolean',
      required: true,
      description: 'Whether only allowed callers get through.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the route was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the route last changed.' },
  },
});
