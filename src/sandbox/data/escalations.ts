import type { Account } from './account.ts';
import type { Alerts } from './alerts.ts';
import type { Incidents } from './incidents.ts';
import { Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { minuteMs, roughen, Timeline, timestamp } from './times.ts';
import type { Users } from './users.ts';
import { services, symptoms } from './words.ts';

const tableSalt = 7;

export function createEscalations(
  seed: number,
  count: number,
  span: Span,
  account: Account,
  incidents: Incidents,
  alerts: Alerts,
  users: Users,
): Source {
  const ids = new Ids(seed, tableSalt);
  const eventIds = new Ids(seed, tableSalt + 10_000);
  const timeline = new Timeline(span, count, seed, tableSalt);
  const id = (index: number, created = timeline.at(index)) => ids.of(index, created);

  /** How many people were paged, how long each had to respond, and how it ended. */
  const outline = (index: number, created: number) => {
    const dice = new Dice(hash(seed, tableSalt + 1, index));
    const pages = 1 + Math.floor(dice.next() ** 3 * 4);
    const status = dice.chance(0.85)
      ? dice.chance(0.7)
        ? 'resolved'
        : 'acked'
      : dice.pick(['expired', 'cancelled']);
    const wait = 2 * minuteMs + dice.next() * 8 * minuteMs;
    const ends = Math.min(created + pages * wait, Math.max(span.until, created));
    return {
      pages,
      status,
      wait,
      updated: Math.max(created, roughen(ends, hash(seed, tableSalt + 2, index))),
    };
  };

  const record = (index: number, created = timeline.at(index)): ApiRecord => {
    const made = outline(index, created);
    const dice = new Dice(hash(seed, tableSalt + 3, index));
    const title = `${dice.pick(services).name} ${dice.pick(symptoms)}`;
    const isManual = alerts.count === 0 || dice.chance(0.2);
    const alert = isManual
      ? undefined
      : alerts.slim(Math.min(alerts.timeline.before(created), alerts.count - 1));
    const asker = users.slim(dice.below(Math.max(users.count, 1)));
    const urgency = dice.chance(0.7) ? 'high' : 'low';
    const event = (step: number, kind: string, ms: number, paged: readonly ApiRecord[]) => ({
      id: eventIds.of(index * 16 + step, ms),
      event: kind,
      occurred_at: timestamp(Math.floor(ms)),
      urgency,
      users: paged,
      channels:
        kind === 'notified_channels' ? [{ slack_channel_id: 'C0ONCALL', slack_team_id: 'T02A1FSLE8J' }] : [],
    });
    const pagedUsers = Array.from({ length: made.pages }, () => users.onCall(dice.next()));
    const last = pagedUsers.at(-1);
    const creator =
      alert === undefined
        ? asker === undefined || dice.chance(0.1)
          ? // An escalation from a call route has no creator.
            {}
          : { user: asker }
        : { alert: { id: alert['id'], title: alert['title'] } };
    return {
      id: id(index, created),
      title,
      description: dice.chance(0.6) ? `${title}, paging the owner` : '',
      status: made.status,
      priority: { name: dice.pick(['P1', 'P2', 'P3']) },
      escalation_path_id: dice.optional(dice.pick(account.escalationPaths).id, 0.9),
      creator,
      events: [
        event(0, 'triggered', created, []),
        ...pagedUsers.map((user, i) =>
          event(i + 1, 'notified_users', created + i * made.wait, user === undefined ? [] : [user]),
        ),
        ...(dice.chance(0.2) ? [event(9, 'notified_channels', created + minuteMs, [])] : []),
        event(
          10,
          made.status,
          made.updated,
          made.status === 'acked' || made.status === 'resolved' ? (last === undefined ? [] : [last]) : [],
        ),
      ],
      related_alerts: alert === undefined ? [] : [alert],
      related_incidents:
        incidents.count > 0 && fraction(seed, tableSalt + 4, index) < 0.6
          ? [incidents.slim(Math.min(incidents.timeline.before(created), incidents.count - 1))]
          : [],
      created_at: timestamp(created),
      updated_at: timestamp(made.updated),
    };
  };

  return {
    count,
    rising: true,
    id,
    indexOf: (text) => ids.indexOf(text),
    created: (index) => timeline.at(index),
    updated: (index) => outline(index, timeline.at(index)).updated,
    record,
  };
}
