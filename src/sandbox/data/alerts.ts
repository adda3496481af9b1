import type { Account } from './account.ts';
import { at, Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { minuteMs, roughen, Timeline, timestamp } from './times.ts';
import { services, symptoms } from './words.ts';

const tableSalt = 6;

export type Alerts = Source & { readonly timeline: Timeline; slim(index: number): ApiRecord };

export function createAlerts(seed: number, count: number, span: Span, account: Account): Alerts {
  const ids = new Ids(seed, tableSalt);
  const groups = new Ids(seed, tableSalt + 10_000);
  const timeline = new Timeline(span, count, seed, tableSalt);
  const chance = (salt: number, index: number) => fraction(seed, tableSalt * 100 + salt, index);

  const outline = (index: number, created: number) => {
    const ends = created - Math.log(1 - chance(1, index)) * 45 * minuteMs;
    // Some sources never report that an alert is over.
    const isResolved = ends <= span.until && chance(2, index) > 0.04;
    const touched = isResolved ? ends : Math.min(created + chance(3, index) * minuteMs, span.until);
    return { isResolved, updated: Math.max(created, roughen(touched, hash(seed, tableSalt + 1, index))) };
  };
  const id = (index: number, created = timeline.at(index)) => ids.of(index, created);

  const slim = (index: number, created = timeline.at(index)): ApiRecord => {
    const made = outline(index, created);
    const dice = new Dice(hash(seed, tableSalt + 2, index));
    const service = at(services, Math.floor(services.length * chance(4, index) ** 1.7));
    const symptom = dice.pick(symptoms);
    return {
      id: id(index, created),
      title: `${service.name} ${symptom}`,
      description: dice.optional(`${service.name}: ${symptom}, threshold crossed for 5 minutes`, 0.85),
      status: made.isResolved ? 'resolved' : 'firing',
      alert_source_id: dice.pick(account.alertSources).id,
      alert_group_ids: dice.optional(dice.chance(0.5) ? [groups.of(index >>> 3, span.since)] : [], 0.8),
      deduplication_key: `${hash(seed, tableSalt + 3, index)}`,
      source_url: dice.optional(`https://monitors.example.com/${index % 500}`, 0.8),
      resolved_at: made.isResolved ? timestamp(made.updated) : dice.nothing(),
      created_at: timestamp(created),
      updated_at: timestamp(made.updated),
    };
  };

  const record = (index: number, created = timeline.at(index)): ApiRecord => {
    const dice = new Dice(hash(seed, tableSalt + 4, index));
    const service = at(account.serviceEntries, Math.floor(services.length * chance(4, index) ** 1.7));
    const [serviceAttribute, environment, runbook] = account.alertAttributes;
    const entry = { catalog_type_id: account.serviceTypeId, id: service['id'], name: service['name'] };
    return {
      ...slim(index, created),
      attributes: [
        {
          attribute: serviceAttribute,
          value: { literal: service['external_id'], label: service['name'], catalog_entry: entry },
        },
        { attribute: environment, array_value: [{ literal: dice.chance(0.8) ? 'production' : 'staging' }] },
        ...(dice.chance(0.3) ? [{ attribute: runbook }] : []),
      ],
      tags: dice.optional(dice.chance(0.3) ? [{ id: at(account.otherIds, 3), name: 'noisy' }] : [], 0.7),
    };
  };

  return {
    count,
    rising: true,
    timeline,
    id,
    indexOf: (text) => ids.indexOf(text),
    created: (index) => timeline.at(index),
    updated: (index) => outline(index, timeline.at(index)).updated,
    record,
    slim,
  };
}
