import { at, fraction, hash, Ids } from './random.ts';
import type { Referenced } from './referenced.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { dayMs, roughen, timestamp } from './times.ts';
import { causes, services } from './words.ts';

type Listed = ApiRecord & { readonly id: string; readonly name: string };

/** The short lists that every account has. Many rows embed their records. */
export type Account = {
  readonly severities: readonly Listed[];
  readonly statuses: readonly (Listed & { readonly category: string })[];
  readonly types: readonly Listed[];
  readonly roles: readonly Listed[];
  readonly customFields: readonly Listed[];
  readonly teams: readonly Referenced[];
  readonly timestamps: readonly { readonly id: string; readonly name: string; readonly rank: number }[];
  readonly durationMetrics: readonly { readonly id: string; readonly name: string }[];
  readonly alertSources: readonly Referenced[];
  readonly escalationPaths: readonly Referenced[];
  readonly alertAttributes: readonly ApiRecord[];
  readonly followUpCategories: readonly ApiRecord[];
  readonly followUpPriorities: readonly ApiRecord[];
  readonly causeOptions: readonly ApiRecord[];
  readonly teamOptions: readonly ApiRecord[];
  readonly serviceEntries: readonly ApiRecord[];
  readonly serviceTypeId: string;
  /** Ids of things that no table holds, such as workflows and API keys. */
  readonly otherIds: readonly string[];
};

export function createAccount(seed: number, span: Span): Account {
  const founded = span.since - 30 * dayMs;
  let kind = 100;
  const ids = (count: number): string[] => {
    const maker = new Ids(seed, kind++);
    return Array.from({ length: count }, (_, i) => maker.of(i, founded + i * 1000));
  };
  /** Rows with an id, `created_at` and `updated_at`. */
  const list = <T extends { name: string }>(items: readonly T[]): (T & Listed)[] => {
    const salt = kind;
    return ids(items.length).map((id, i) => {
      const noise = hash(seed, salt, i);
      const updated = founded + fraction(seed, salt + 500, i) * (span.until - founded);
      return {
        id,
        ...at(items, i),
        created_at: timestamp(roughen(founded + i * 1000, noise)),
        updated_at: timestamp(roughen(updated, noise >>> 3)),
      };
    });
  };
  /** Rows with nothing but an id and a name. */
  const named = (names: readonly string[]) => ids(names.length).map((id, i) => ({ id, name: at(names, i) }));

  const customFields = list([
    { name: 'Affected Team', description: 'Which team owns what broke', field_type: 'single_select' },
    { name: 'Root Cause', description: 'Why it broke', field_type: 'single_select' },
    { name: 'Affected Services', description: 'From the catalog', field_type: 'multi_select' },
    { name: 'Customer Impact', description: 'What customers noticed', field_type: 'text' },
    { name: 'Customers Affected', description: '', field_type: 'numeric' },
    { name: 'Public Notice', description: 'Where customers were told', field_type: 'link' },
  ]);
  const teams = named(['Platform', 'Payments', 'Mobile', 'Data', 'Identity', 'Support Engineering']);
  const serviceTypeId = at(ids(1), 0);
  const attributeIds = ids(4);
  const fieldOptions = (field: number, values: readonly string[]) =>
    ids(values.length).map((id, i) => ({
      id,
      custom_field_id: at(customFields, field).id,
      sort_key: (i + 1) * 10,
      value: at(values, i),
    }));
  Object.assign(at(customFields, 2), {
    catalog_type_id: serviceTypeId,
    group_by_catalog_attribute_id: at(attributeIds, 0),
    helptext_catalog_attribute_id: at(attributeIds, 1),
    filter_by: { catalog_attribute_id: at(attributeIds, 2), custom_field_id: at(customFields, 0).id },
    fixed_filter: { catalog_attribute_id: at(attributeIds, 3), values: [at(attributeIds, 0)] },
  });

  return {
    severities: list([
      { name: 'Minor', description: 'Issues with **low impact**.', rank: 1 },
      { name: 'Moderate', description: 'Some customers notice.', rank: 2 },
      { name: 'Major', description: 'Many customers notice.', rank: 3 },
      { name: 'Critical', description: 'Nobody can work.', rank: 4 },
    ]),
    statuses: list(
      [
        { name: 'Triage', category: 'triage' },
        { name: 'Investigating', category: 'live' },
        { name: 'Fixing', category: 'live' },
        { name: 'Monitoring', category: 'live' },
        { name: 'Paused', category: 'paused' },
        { name: 'Documenting', category: 'learning' },
        { name: 'Closed', category: 'closed' },
        { name: 'Declined', category: 'declined' },
        { name: 'Canceled', category: 'canceled' },
        { name: 'Merged', category: 'merged' },
      ].map((status, i) => ({ ...status, rank: i + 1, description: `${status.name}.` })),
    ),
    types: list(
      ['Production Outage', 'Security', 'Data Quality', 'Vendor'].map((name, i) => ({
        name,
        description: `${name} incidents`,
        create_in_triage: i === 1 ? 'always' : 'optional',
        is_default: i === 0,
        private_incidents_only: false,
        ...(i === 2 ? { owning_team_ids: [at(teams, 3).id] } : {}),
      })),
    ),
    roles: list(
      [
        { name: 'Incident Lead', role_type: 'lead' },
        { name: 'Reporter', role_type: 'reporter' },
        { name: 'Communications Lead', role_type: 'custom' },
        { name: 'Scribe', role_type: 'custom' },
      ].map((role) => ({
        ...role,
        description: `${role.name} of the incident`,
        instructions: role.role_type === 'lead' ? 'Take point; make sure people know what they do' : '',
        shortform: role.name.split(' ').at(-1)?.toLowerCase() ?? '',
      })),
    ),
    customFields,
    teams,
    timestamps: named(['Reported at', 'Impact started', 'Identified at', 'Resolved at', 'Closed at']).map(
      (moment, i) => ({ ...moment, rank: i + 1 }),
    ),
    durationMetrics: named(['Time to identify', 'Time to resolve']),
    alertSources: named(['Prometheus', 'Datadog', 'Sentry', 'Deployments']).map((source, i) => ({
      ...source,
      source_type: at(['alertmanager', 'datadog', 'sentry', 'http'], i),
    })),
    escalationPaths: named(teams.map(({ name }) => `${name} on call`)),
    alertAttributes: ids(3).map((id, i) => ({
      id,
      name: at(['Service', 'Environment', 'Runbook'], i),
      type: i === 0 ? `CatalogEntry["${serviceTypeId}"]` : 'String',
      array: false,
      required: i === 0,
      ...(i === 0 ? { emoji: 'gear' } : {}),
    })),
    followUpCategories: named(['Prevention', 'Detection']).map((category, i) => ({
      ...category,
      description: `${category.name} work`,
      rank: i + 1,
    })),
    followUpPriorities: named(['Urgent', 'High', 'Low']).map((priority, i) => ({
      ...priority,
      description: `${priority.name} follow-ups`,
      rank: (i + 1) * 10,
    })),
    causeOptions: fieldOptions(1, causes),
    teamOptions: fieldOptions(
      0,
      teams.map((team) => team.name),
    ),
    serviceEntries: named(services.map((service) => service.name)).map((entry, i) => ({
      ...entry,
      aliases: [`svc-${i + 1}`],
      external_id: `service-${i + 1}`,
    })),
    serviceTypeId,
    otherIds: ids(4),
  };
}

/** A fixed list as the source of a table. */
export function listSource(records: readonly ApiRecord[], seed: number, salt: number, span: Span): Source {
  const ids = new Ids(seed, salt);
  const known = new Map(records.map((record, i) => [record['id'], i]));
  const created = (index: number) => span.since - 30 * dayMs + index * 1000;
  return {
    count: records.length,
    rising: false,
    id: (index, moment = created(index)) => {
      const id = records[index]?.['id'];
      return typeof id === 'string' ? id : ids.of(index, moment);
    },
    indexOf: (id) => known.get(id) ?? records.length,
    created,
    updated: created,
    // A row that is created later copies one of the list, under a new id.
    record: (index, moment = created(index)) => ({
      ...at(records, index % records.length),
      ...(index < records.length ? {} : { id: ids.of(index, moment) }),
    }),
    slim: (index) => at(records, index % records.length),
  };
}
