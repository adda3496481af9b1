import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eventsOfNoTable, tablesOfEvent } from '../../../src/tables/events.ts';
import { tables } from '../../../src/tables/index.ts';

/** The webhook events of the vendor's document. */
const { events: documented } = JSON.parse(
  readFileSync(new URL('../../fixtures/webhook-events.json', import.meta.url), 'utf8'),
) as { readonly events: readonly string[] };

const names = (type: string) => tablesOfEvent(type)?.map(({ name }) => name);

it.each(documented)('%s concerns tables, or is known to concern none', (type) => {
  expect(names(type)).toBeDefined();
});

it('no declaration names an event that the vendor does not have', () => {
  const versionless = new Set(documented.map((type) => type.replace(/_v\d+$/, '')));
  const declared = [...tables.flatMap(({ events = [] }) => events), ...eventsOfNoTable];
  expect(declared.filter((name) => !versionless.has(name))).toEqual([]);
});

it('public and private events about the same change concern the same tables', () => {
  const pairs = documented
    .filter((type) => type.startsWith('private_'))
    .map((type) => [type, type.replace('private_', 'public_')] as const)
    .filter(([, other]) => documented.includes(other));
  const differing = pairs.filter(([one, other]) => names(one)?.join(',') !== names(other)?.join(','));
  expect(pairs.length).toBeGreaterThan(10);
  expect(differing).toEqual([]);
});

it('an event of another version concerns the same tables, and an unknown one differs from one without tables', () => {
  expect(names('public_incident.incident_updated_v9')).toEqual(['incident_updates', 'incidents']);
  expect(names('private_incident.membership_granted_v1')).toEqual([]);
  expect(names('public_incident.incident_deleted_v1')).toBeUndefined();
});

it('no table that reads every open parent in each run follows events: an active incident sends dozens', () => {
  expect(tables.filter(({ events, parent }) => events && parent?.open).map(({ name }) => name)).toEqual([]);
});
