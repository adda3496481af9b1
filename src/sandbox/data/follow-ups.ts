import type { Account } from './account.ts';
import type { Incidents } from './incidents.ts';
import { at, Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { dayMs, roughen, Timeline, timestamp } from './times.ts';
import type { Users } from './users.ts';
import { chores, sentences, services } from './words.ts';

const tableSalt = 5;
/** How many days each team typically takes to finish a follow-up, in the order of the account's teams. */
const daysByTeam = [150, 30, 90, 240, 20, 10] as const;

export function createFollowUps(
  seed: number,
  count: number,
  span: Span,
  account: Account,
  incidents: Incidents,
  users: Users,
): Source {
  const ids = new Ids(seed, tableSalt);
  const timeline = new Timeline(span, count, seed, tableSalt);
  const chance = (salt: number, index: number) => fraction(seed, tableSalt * 100 + salt, index);
  const incidentOf = (index: number, created: number) => {
    const newest = Math.min(incidents.timeline.before(created), incidents.count - 1);
    return Math.max(0, newest - Math.floor(chance(1, index) * 10));
  };

  const outline = (index: number, created = timeline.at(index)) => {
    const incident = incidentOf(index, created);
    const team = at(services, incidents.outline(incident).service).team;
    const ends = created - Math.log(1 - chance(2, index)) * at(daysByTeam, team) * dayMs;
    const roll = chance(3, index);
    const isOpen = ends > span.until;
    const status = isOpen ? 'outstanding' : roll < 0.1 ? 'not_doing' : roll < 0.13 ? 'deleted' : 'completed';
    const touched = isOpen
      ? created + chance(4, index) * 0.5 * Math.max(0, span.until - created)
      : Math.max(ends, created);
    return {
      incident,
      team,
      status,
      updated: Math.max(created, roughen(touched, hash(seed, tableSalt + 1, index))),
    };
  };
  const id = (index: number, created = timeline.at(index)) => ids.of(index, created);

  const record = (index: number, created = timeline.at(index)): ApiRecord => {
    const made = outline(index, created);
    const dice = new Dice(hash(seed, tableSalt + 2, index));
    const { service } = incidents.outline(made.incident);
    const creator = users.slim(dice.below(Math.max(users.count, 1)));
    const assignee = users.slim(Math.floor(dice.next() ** 2 * users.count));
    return {
      id: id(index, created),
      incident_id: incidents.id(made.incident),
      title: `${dice.pick(chores)} ${at(services, service).name}`,
      description: dice.optional(dice.pick(sentences), 0.5),
      status: made.status,
      assignee: assignee === undefined ? undefined : dice.optional(assignee, 0.75),
      assignee_team: dice.optional(at(account.teams, made.team), 0.9),
      category: dice.optional(dice.pick(account.followUpCategories), 0.4),
      priority: dice.optional(dice.pick(account.followUpPriorities), 0.8),
      labels: dice.chance(0.3) ? ['postmortem', 'tech-debt'].slice(0, 1 + dice.below(2)) : [],
      creator:
        creator === undefined
          ? { workflow: { id: at(account.otherIds, 1), name: 'Post-incident tasks' } }
          : { user: creator },
      external_issue_reference: dice.optional(
        {
          provider: 'linear',
          issue_name: `ENG-${index + 1}`,
          issue_permalink: `https://linear.example.com/ENG-${index + 1}`,
        },
        0.4,
      ),
      completed_at: made.status === 'completed' ? timestamp(made.updated) : dice.nothing(),
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
    updated: (index) => outline(index).updated,
    record,
    facets: (index) => ({
      incident_id: incidents.id(incidentOf(index, timeline.at(index))),
      // The follow-ups of a stream name the incident that the stream belongs to.
      ...(chance(5, index) < 0.02 ? { incident_mode: 'stream' } : {}),
    }),
    facetPaths: { incident_id: ['incident_id'] },
  };
}
