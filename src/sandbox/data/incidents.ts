import type { Account } from './account.ts';
import { at, Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { dayMs, hourMs, minuteMs, roughen, Timeline, timestamp } from './times.ts';
import type { Users } from './users.ts';
import { causes, sentences, services, symptoms } from './words.ts';

const tableSalt = 3;
/** Typical minutes to resolve an incident, by severity: the most severe get everyone's attention. */
const minutesBySeverity = [720, 300, 150, 80] as const;

/** What an incident's record is built around. */
export type Outline = {
  readonly created: number;
  readonly updated: number;
  /** When it ends; may be after the end of the data. */
  readonly resolved: number;
  /** Index into the account's severities; `undefined` if none was set. */
  readonly severity: number | undefined;
  readonly status: number;
  readonly service: number;
  readonly mode: string;
  readonly isPrivate: boolean;
};

export type Incidents = Source & {
  readonly timeline: Timeline;
  outline(index: number, created?: number): Outline;
  /** The short copy that escalations embed. */
  slim(index: number): ApiRecord;
};

export function createIncidents(
  seed: number,
  count: number,
  span: Span,
  account: Account,
  users: Users,
): Incidents {
  const ids = new Ids(seed, tableSalt);
  const timeline = new Timeline(span, count, seed, tableSalt);
  const chance = (salt: number, index: number) => fraction(seed, tableSalt * 100 + salt, index);

  const severityOf = (index: number): number | undefined => {
    const roll = chance(1, index);
    if (roll < 0.04) return undefined;
    return roll < 0.55 ? 0 : roll < 0.83 ? 1 : roll < 0.96 ? 2 : 3;
  };

  const minutesToResolve = (index: number, created: number, severity: number | undefined): number => {
    const gauss = Math.sqrt(-2 * Math.log(1 - chance(2, index))) * Math.cos(2 * Math.PI * chance(3, index));
    const date = new Date(created);
    const night = date.getUTCHours() < 6 ? 1.5 : 1;
    const years = (created - span.since) / (365 * dayMs);
    // August and December are slow: people are away, or busy with the holiday season.
    const season = date.getUTCMonth() === 7 || date.getUTCMonth() === 11 ? 1.8 : 1;
    return at(minutesBySeverity, severity ?? 0) * Math.exp(0.9 * gauss) * night * season * 0.8 ** years;
  };

  const statusOf = (index: number, created: number, resolved: number): number => {
    const roll = chance(4, index);
    if (roll < 0.03) return 7;
    if (roll < 0.045) return 8;
    if (roll < 0.065) return 9;
    if (roll < 0.07) return 4;
    if (roll < 0.075 || span.until - created < 2 * hourMs) return 0;
    // Some are left open and forgotten.
    if (roll < 0.085 || resolved > span.until) return 1 + (hash(seed, tableSalt + 5, index) % 3);
    return span.until - resolved < 6 * dayMs * chance(6, index) ? 5 : 6;
  };

  // Building one page asks for the same row's outline several times in succession.
  let latest: { readonly index: number; readonly made: Outline } | undefined;
  const outline = (index: number, created = timeline.at(index)): Outline => {
    if (latest?.index === index && latest.made.created === created) return latest.made;
    const made = decide(index, created);
    latest = { index, made };
    return made;
  };

  const decide = (index: number, created: number): Outline => {
    const severity = severityOf(index);
    const resolved = created + Math.ceil(minutesToResolve(index, created, severity) * minuteMs);
    const wrote = Math.min(resolved + chance(7, index) * 5 * dayMs, Math.max(created, span.until));
    const mode = chance(8, index);
    const updated =
      resolved > span.until ? created + (Math.max(span.until, created) - created) * chance(9, index) : wrote;
    return {
      created,
      updated: Math.max(created, roughen(updated, hash(seed, tableSalt + 6, index))),
      resolved,
      severity,
      status: statusOf(index, created, resolved),
      service: Math.floor(services.length * chance(10, index) ** 1.7),
      mode: mode < 0.9 ? 'standard' : mode < 0.95 ? 'retrospective' : mode < 0.985 ? 'test' : 'tutorial',
      isPrivate: chance(11, index) < 0.03,
    };
  };

  const id = (index: number, created = timeline.at(index)) => ids.of(index, created);
  const nameOf = (index: number, made: Outline) =>
    `${at(services, made.service).name} ${at(symptoms, hash(seed, tableSalt + 7, index) % symptoms.length)}`;
  const summaryOf = (index: number) => at(sentences, hash(seed, tableSalt + 8, index) % sentences.length);

  const fieldsOf = (dice: Dice, made: Outline): ApiRecord[] => {
    const service = at(services, made.service);
    const cause = dice.pick(causes);
    const entry = (field: number, values: readonly ApiRecord[], options: readonly ApiRecord[] = []) => {
      const { id, name, description, field_type } = at(account.customFields, field);
      return { custom_field: { id, name, description, field_type, options }, values };
    };
    const entries = [
      entry(2, [{ value_catalog_entry: at(account.serviceEntries, made.service) }]),
      entry(0, [{ value_option: at(account.teamOptions, service.team) }], account.teamOptions),
      entry(1, [{ value_option: at(account.causeOptions, causes.indexOf(cause)) }], account.causeOptions),
      entry(3, [{ value_text: dice.pick(sentences) }]),
      entry(4, [{ value_numeric: dice.chance(0.2) ? `${dice.below(900)}.50` : String(dice.below(5000)) }]),
      entry(5, dice.chance(0.5) ? [{ value_link: 'https://status.example.com/' }] : []),
    ];
    // Few incidents have every field filled in. Each repeats all options of the fields it has, as in the API.
    return entries.filter(() => dice.chance(0.18));
  };

  const record = (index: number, created = timeline.at(index)): ApiRecord => {
    const made = outline(index, created);
    const dice = new Dice(hash(seed, tableSalt + 9, index));
    const status = at(account.statuses, made.status);
    const isOver = made.resolved <= span.until && (made.status === 5 || made.status === 6);
    const number = index + 1;
    const identified = created + (made.resolved - created) * (0.1 + 0.5 * dice.next());
    const moment = (rank: number, ms: number | undefined) => ({
      incident_timestamp: at(account.timestamps, rank),
      ...(ms === undefined ? {} : { value: { value: timestamp(Math.floor(ms)) } }),
    });
    const metric = (which: number, from: number, to: number) => ({
      duration_metric: at(account.durationMetrics, which),
      ...(isOver
        ? { status: 'success', value_seconds: Math.floor((to - from) / 1000) }
        : { status: 'timestamps_missing' }),
    });
    const minutes = Math.round(((made.resolved - created) / minuteMs) * (1 + dice.below(4)) * 10) / 10;
    const late = Math.round(minutes * dice.next() * 3) / 10;
    const lead = users.slim(Math.floor(dice.next() ** 1.5 * users.count));
    const hasDebrief = dice.chance(0.2);
    const channel = `C0${hash(seed, tableSalt + 11, index)
      .toString(36)
      .toUpperCase()}`;
    const isAutomatic = dice.chance(0.15);
    const creator = users.slim(dice.below(Math.max(users.count, 1)));
    const postmortem = isOver && dice.chance(0.25) ? ids.of(index, created + dayMs) : undefined;

    return {
      id: id(index, created),
      reference: `INC-${number}`,
      name: nameOf(index, made),
      summary: dice.optional(summaryOf(index), 0.8),
      permalink: `https://app.incident.io/sandbox/incidents/${number}`,
      mode: made.mode,
      visibility: made.isPrivate ? 'private' : 'public',
      creator:
        isAutomatic || creator === undefined
          ? { api_key: { id: at(account.otherIds, 0), name: 'Alert automation' } }
          : { user: creator },
      incident_status: status,
      severity: made.severity === undefined ? dice.nothing() : at(account.severities, made.severity),
      incident_type: dice.optional(at(account.types, dice.below(account.types.length)), 0.95),
      incident_role_assignments: [
        { role: at(account.roles, 0), ...(lead === undefined || dice.chance(0.1) ? {} : { assignee: lead }) },
        ...(dice.chance(0.15) && creator !== undefined
          ? [{ role: at(account.roles, 2), assignee: creator }]
          : []),
      ],
      custom_field_entries: fieldsOf(dice, made),
      incident_timestamp_values: [
        moment(0, created),
        moment(2, isOver ? identified : undefined),
        moment(3, isOver ? made.resolved : undefined),
      ],
      duration_metrics: dice.optional(
        [metric(0, created, identified), metric(1, created, made.resolved)],
        0.95,
      ),
      external_issue_reference: dice.optional(
        {
          provider: dice.pick(['jira', 'linear', 'github']),
          issue_name: `OPS-${number}`,
          issue_permalink: `https://issues.example.com/OPS-${number}`,
        },
        0.3,
      ),
      call_url: dice.optional(`https://meet.example.com/inc-${number}`, 0.3),
      slack_team_id: 'T02A1FSLE8J',
      // A required field; empty until the channel exists.
      slack_channel_id: dice.chance(0.98) ? channel : '',
      slack_channel_name: dice.optional(`inc-${number}`, 0.95),
      slack_channel_url: dice.optional(`https://slack.com/app_redirect?channel=${channel}`, 0.9),
      ms_teams_channel_url: dice.optional('https://teams.example.com/channel', 0.02),
      team_ids: dice.chance(0.8) ? [at(account.teams, at(services, made.service).team).id] : [],
      has_debrief: dice.optional(hasDebrief, 0.9),
      debriefs: hasDebrief
        ? [
            {
              id: ids.of(index, made.resolved),
              start_at: timestamp(made.resolved + dayMs),
              end_at: timestamp(made.resolved + dayMs + hourMs),
            },
          ]
        : dice.optional([], 0.5),
      postmortem_document_ids: postmortem === undefined ? dice.optional([], 0.5) : [postmortem],
      postmortem_document_url: postmortem && `https://docs.example.com/${postmortem}`,
      workload_minutes_total: isOver ? minutes : undefined,
      workload_minutes_late: isOver ? late : undefined,
      workload_minutes_sleeping: isOver ? 0 : undefined,
      workload_minutes_working: isOver ? Math.round((minutes - late) * 10) / 10 : undefined,
      last_activity_at: timestamp(made.updated),
      created_at: timestamp(created),
      updated_at: timestamp(made.updated),
    };
  };

  return {
    count,
    rising: true,
    timeline,
    id,
    indexOf: (text) => ids.indexOf(text),
    created: (index) => timeline.at(index),
    updated: (index) => outline(index).updated,
    record,
    outline,
    facets: (index) => {
      const made = outline(index);
      return {
        mode: made.mode,
        status_category: at(account.statuses, made.status).category,
        visibility: made.isPrivate ? 'private' : 'public',
      };
    },
    facetPaths: {
      mode: ['mode'],
      status_category: ['incident_status', 'category'],
      visibility: ['visibility'],
    },
    slim: (index) => {
      const made = outline(index);
      const { category } = at(account.statuses, made.status);
      return {
        id: id(index, made.created),
        external_id: index + 1,
        name: nameOf(index, made),
        reference: `INC-${index + 1}`,
        // In this copy, and only here, the API has other names for two of the categories.
        status_category:
          category === 'live' ? 'active' : category === 'learning' ? 'post-incident' : category,
        summary: summaryOf(index),
        visibility: made.isPrivate ? 'private' : 'public',
      };
    },
  };
}
