import { defineTable } from './table.ts';

export const catalogTypes = defineTable({
  name: 'catalog_types',
  description: 'One row is a type of catalog entries, such as services or teams.',
  group: 'Catalog',
  path: '/v3/catalog_types',
  records: 'catalog_types',
  scope: 'catalog_types.view',
  paging: { kind: 'single' },
  every: '24h',
  primaryKey: ['id'],
  columns: {
    id: { type: 'text', required: true, description: 'Id of the catalog type.' },
    annotations: {
      type: 'json',
      required: true,
      description: 'Annotations kept by the tool that manages the type.',
    },
    categories: {
      type: 'json',
      list: true,
      required: true,
      description: 'List of the categories the type belongs to.',
    },
    color: {
      type: 'text',
      required: true,
      description: 'Color of the type in the dashboard: yellow, green, blue, violet, pink, cyan or orange.',
    },
    description: { type: 'text', required: true, description: 'What the type represents.' },
    dynamic_resource_parameter: {
      type: 'text',
      description: 'Parameter that identifies the type outside incident.io, for a dynamic type.',
    },
    engine_resource_type: {
      type: 'text',
      required: true,
      description: 'Name of the type wherever an attribute refers to it.',
    },
    estimated_count: {
      type: 'bigint',
      description: 'Estimated number of entries of the type.',
      volatile: true,
    },
    icon: { type: 'text', required: true, description: 'Icon of the type in the dashboard.' },
    is_editable: {
      type: 'boolean',
      required: true,
      description: 'Whether the type can be edited; false for one that is synced from elsewhere.',
    },
    is_team_type: {
      type: 'boolean',
      description: 'Whether the entries of this type are the teams of the account.',
    },
    last_synced_at: {
      type: 'timestamp',
      description: 'When the type was last synced from its source.',
      volatile: true,
    },
    name: { type: 'text', required: true, description: 'Name of the type.' },
    owning_team_ids: {
      type: 'json',
      list: true,
      description: 'List of the ids of the teams that own the type.',
    },
    ranked: {
      type: 'boolean',
      required: true,
      description: 'Whether the entries of the type have an order.',
    },
    registry_type: { type: 'text', description: 'Resource the type is synced from, if any.' },
    required_integrations: {
      type: 'json',
      list: true,
      description: 'List of the integrations the type needs.',
    },
    schema: {
      type: 'json',
      required: true,
      description: 'The attributes of the type and the version of that list.',
    },
    source_repo_url: { type: 'text', description: 'Link to the repository the type is managed in.' },
    supports_custom_aliases: {
      type: 'boolean',
      required: true,
      description: 'Whether people can add aliases to the entries.',
    },
    type_name: {
      type: 'text',
      required: true,
      description: 'Name of the type as attributes refer to it; never changes.',
    },
    use_name_as_identifier: {
      type: 'boolean',
      required: true,
      description: 'Whether an entry can be referred to by its name.',
    },
    created_at: { type: 'timestamp', required: true, description: 'When the type was created.' },
    updated_at: { type: 'timestamp', required: true, description: 'When the type last changed.' },
  },
});
