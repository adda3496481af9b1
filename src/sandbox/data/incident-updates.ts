import type { Account } from './account.ts';
import type { Incidents } from './incidents.ts';
import { at, Dice, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { roughen, timestamp } from './times.ts';
import type { Users } from './users.ts';
import { sentences } from './words.ts';

const tableSalt = 4;

/** In the order of their incidents, so `created_at` jumps back and forth: the API documents no order. */
export function createIncidentUpdates(
  seed: number,
  count: number,
  span: Span,
  account: Account,
  incidents: Incidents,
  users: Users,
): Source {
  const ids = new Ids(seed, tableSalt);
  const incidentOf = (index: number) =>
    Math.min(Math.floor((index * incidents.count) / Math.max(count, 1)), incidents.count - 1);
  const created = (index: number): number => {
    const incident = incidentOf(index);
    const first = Math.ceil((incident * count) / incidents.count);
    const outline = incidents.outline(incident);
    const end = Math.max(outline.created, Math.min(outline.resolved, span.until));
    const steps = Math.ceil(((incident + 1) * count) / incidents.count) - first;
    const moment = outline.created + ((end - outline.created) * (index - first + 1)) / Math.max(steps, 1);
    return Math.max(outline.created, roughen(moment, hash(seed, tableSalt + 1, index)));
  };
  const id = (index: number, moment = created(index)) => ids.of(index, moment);

  const record = (index: number, moment = created(index)): ApiRecord => {
    const dice = new Dice(hash(seed, tableSalt + 2, index));
    const incident = incidentOf(index);
    const { status, severity } = incidents.outline(incident);
    const isLast = incidentOf(index + 1) !== incident || index === count - 1;
    const updater = users.slim(dice.below(Math.max(users.count, 1)));
    return {
      id: id(index, moment),
      incident_id: incidents.id(incident),
      message: dice.optional(dice.pick(sentences), 0.9),
      new_incident_status: at(account.statuses, isLast ? status : 1 + dice.below(3)),
      new_severity: severity === undefined ? undefined : dice.optional(at(account.severities, severity), 0.6),
      merged_into_incident_id:
        isLast && status === 9 && incident > 0 ? incidents.id(incident - 1) : dice.nothing(),
      updater:
        updater === undefined || dice.chance(0.1)
          ? { workflow: { id: at(account.otherIds, 1), name: 'Nudge for updates' } }
          : { user: updater },
      created_at: timestamp(moment),
    };
  };

  return {
    count,
    rising: false,
    id,
    indexOf: (text) => ids.indexOf(text),
    created,
    updated: created,
    record,
    facets: (index) => ({ incident_id: incidents.id(incidentOf(index)) }),
    facetPaths: { incident_id: ['incident_id'] },
  };
}
