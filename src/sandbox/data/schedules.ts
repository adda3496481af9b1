import type { Account } from './account.ts';
import { at, Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { dayMs, roughen, timestamp } from './times.ts';
import type { Users } from './users.ts';

const tableSalt = 2;
const weekMs = 7 * dayMs;

export function createSchedules(
  seed: number,
  count: number,
  span: Span,
  account: Account,
  users: Users,
): Source {
  const ids = new Ids(seed, tableSalt);
  const layers = new Ids(seed, tableSalt + 10_000);
  const created = (index: number) => span.since - 10 * dayMs + index * 3_600_000;
  const updated = (index: number, moment = created(index)) =>
    roughen(
      moment + fraction(seed, tableSalt + 1, index) * Math.max(0, span.until - moment),
      hash(seed, tableSalt + 2, index),
    );

  const record = (index: number, moment = created(index)): ApiRecord => {
    const dice = new Dice(hash(seed, tableSalt + 3, index));
    const id = ids.of(index, moment);
    const team = at(account.teams, index % account.teams.length);
    const rotationId = layers.of(index, moment);
    const layerId = layers.of(index + 1_000_000, moment);
    const crew = [0, 1, 2].flatMap((k) => users.slim(index * 3 + k) ?? []);
    const rotation = (effectiveFrom: number) => ({
      id: rotationId,
      name: 'Primary',
      effective_from: timestamp(effectiveFrom),
      handover_start_at: timestamp(span.since),
      handovers: [{ interval: 1, interval_type: 'weekly' }],
      layers: [{ id: layerId, name: 'Layer 1' }],
      scheduling_mode: 'sequential',
      users: crew,
      working_intervals: dice.chance(0.3)
        ? [{ weekday: 'monday', start_time: '09:00', end_time: '17:00' }]
        : undefined,
    });
    const shift = (week: number) => {
      const start = span.until - (span.until % weekMs) + week * weekMs;
      return {
        entry_id: layers.of(index * 8 + week, start),
        fingerprint: hash(seed, index, week).toString(16),
        rotation_id: rotationId,
        start_at: timestamp(start),
        end_at: timestamp(start + weekMs),
        user: crew[week % Math.max(crew.length, 1)],
      };
    };
    return {
      id,
      name: `${team.name} On-Call${index < account.teams.length ? '' : ` ${index + 1}`}`,
      timezone: dice.pick(['Europe/London', 'America/New_York', 'Asia/Tokyo', 'UTC']),
      annotations: dice.chance(0.5) ? { 'incident.io/terraform/version': '5.2.0' } : {},
      permalink: `https://app.incident.io/sandbox/on-call/schedules/${id}`,
      team_ids: [team.id],
      holidays_public_config: dice.optional({ country_codes: ['GB', 'FR'] }, 0.5),
      // A rotation that was changed appears twice under one id, each with its own `effective_from`.
      config: dice.optional({ rotations: [rotation(span.since), rotation(span.since + 90 * dayMs)] }, 0.9),
      current_shifts: [shift(0)],
      next_shifts: [shift(1)],
      created_at: timestamp(moment),
      updated_at: timestamp(updated(index, moment)),
    };
  };

  return {
    count,
    rising: true,
    id: (index, moment = created(index)) => ids.of(index, moment),
    indexOf: (id) => ids.indexOf(id),
    created,
    updated,
    record,
  };
}
