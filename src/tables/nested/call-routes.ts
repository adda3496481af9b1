import { callRoutes } from '../call-routes.ts';
import { defineNested, joins, position } from './nested.ts';

export const callRouteOptions = defineNested({
  name: 'call_route_options',
  description: 'One row is an option that a caller of a call route can choose with a digit.',
  itemsOf: { table: callRoutes, path: 'options[]', by: ['call_route_id'], position: 'position' },
  primaryKey: ['call_route_id', 'id'],
  columns: {
    call_route_id: joins('call_routes'),
    id: { type: 'text', description: 'Id of the option.' },
    position,
    digit: { type: 'text', description: 'The digit to press.' },
    prompt: { type: 'text', description: 'What the caller hears.' },
    path: { type: 'json', description: 'List of the steps that the call then takes.', personal: true },
  },
});

export const callRouteAllowedCallers = defineNested({
  name: 'call_route_allowed_callers',
  description: 'One row is a caller who may use a call route that is not open to everyone.',
  itemsOf: { table: callRoutes, path: 'allowed_callers[]', by: ['call_route_id'] },
  primaryKey: ['call_route_id', 'id'],
  columns: {
    call_route_id: joins('call_routes'),
    id: { type: 'text', description: 'Id of the entry.' },
    name: { type: 'text', description: 'Name of the caller.', personal: true },
    phone_number: { type: 'text', description: 'Phone number of the caller.', personal: true },
  },
});
