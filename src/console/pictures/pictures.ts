import type { Picture } from '../contract/data.ts';

/** The time at which an incident reached a named timestamp; the names are defined by the account. */
function firstTimestamp(names: readonly string[]): string {
  const list = names.map((name) => `'${name}'`).join(', ');
  return `list_filter(from_json(incident_timestamp_values, '["JSON"]'),
           lambda t: (t->>'$.incident_timestamp.name') IN (${list}) AND (t->>'$.value.value') IS NOT NULL)[1]->>'$.value.value'`;
}

const realIncidents = `mode IN ('standard', 'retrospective')
    AND incident_status_category NOT IN ('declined', 'canceled', 'merged')`;

/** Hours from the creation of each real incident to one of its timestamps. */
function hoursUntil(names: readonly string[]): string {
  return `WITH reached AS (
  SELECT severity_id, created_at, TRY_CAST(${firstTimestamp(names)} AS TIMESTAMPTZ) AS reached_at
  FROM incidents
  WHERE ${realIncidents}
), timed AS (
  SELECT *, date_diff('second', created_at, reached_at) / 3600 AS hours
  FROM reached WHERE reached_at >= created_at
)`;
}

const byMonth = `
SELECT strftime(date_trunc('month', timed.created_at), '%Y-%m') AS month, severities.name AS severity,
       round(median(hours), 2) AS median_hours, count(*) AS incidents
FROM timed JOIN severities ON severities.id = severity_id
WHERE timed.created_at >= (SELECT date_trunc('month', max(created_at)) FROM timed) - INTERVAL 11 MONTH
GROUP BY month, severities.name, severities.rank
ORDER BY month, severities.rank DESC`;

const resolved = ['Resolved at', 'Fixed at'];
const acknowledged = ['Acknowledged at', 'Accepted at', 'Identified at'];
const leftOut =
  'Left out: declined, canceled and merged incidents, and those of mode test, tutorial or stream.';

/** Pictures of the account, each with the SQL that makes it. */
export const pictures: readonly Picture[] = [
  {
    name: 'time_to_resolve_by_severity',
    title: 'Time to resolve, by severity',
    howCounted: `Median hours from created_at to the timestamp named Resolved at (or Fixed at), of all incidents that have one. ${leftOut}`,
    needs: ['incidents', 'severities'],
    sql: `${hoursUntil(resolved)}
SELECT severities.name AS severity, round(median(hours), 2) AS median_hours, count(*) AS incidents
FROM timed JOIN severities ON severities.id = severity_id
GROUP BY severities.name, severities.rank
ORDER BY severities.rank DESC`,
    chart: { kind: 'bar', x: 'severity', y: 'median_hours', unit: 'hours' },
  },
  {
    name: 'time_to_resolve',
    title: 'Time to resolve, by month and severity',
    howCounted: `Median hours from created_at to the timestamp named Resolved at (or Fixed at), by the month of created_at (UTC), of the last 12 months with incidents. ${leftOut}`,
    needs: ['incidents', 'severities'],
    sql: `${hoursUntil(resolved)}${byMonth}`,
    chart: { kind: 'line', x: 'month', y: 'median_hours', series: 'severity', unit: 'hours' },
  },
  {
    name: 'time_to_acknowledge',
    title: 'Time to acknowledge, by month and severity',
    howCounted: `Median hours from created_at to the first set timestamp of Acknowledged at, Accepted at or Identified at, by the month of created_at (UTC), of the last 12 months with incidents. ${leftOut}`,
    needs: ['incidents', 'severities'],
    sql: `${hoursUntil(acknowledged)}${byMonth}`,
    chart: { kind: 'line', x: 'month', y: 'median_hours', series: 'severity', unit: 'hours' },
  },
  {
    name: 'incidents_over_time',
    title: 'Incidents over time',
    howCounted: `Incidents by the month of created_at (UTC) and by severity, of the last 24 months with incidents. ${leftOut}`,
    needs: ['incidents', 'severities'],
    sql: `WITH counted AS (
  SELECT severity_id, date_trunc('month', created_at) AS month_of
  FROM incidents
  WHERE ${realIncidents}
)
SELECT strftime(month_of, '%Y-%m') AS month, coalesce(severities.name, 'none') AS severity, count(*) AS incidents
FROM counted LEFT JOIN severities ON severities.id = severity_id
WHERE month_of >= (SELECT max(month_of) FROM counted) - INTERVAL 23 MONTH
GROUP BY month, severities.name, severities.rank
ORDER BY month, severities.rank DESC`,
    chart: { kind: 'stacked_bar', x: 'month', y: 'incidents', series: 'severity', unit: 'incidents' },
  },
  {
    name: 'alerts_over_time',
    title: 'Alerts over time',
    howCounted:
      'Alerts by the week of created_at (UTC, from Monday) and by their status now, of the last 52 weeks with alerts.',
    needs: ['alerts'],
    sql: `WITH counted AS (SELECT status, date_trunc('week', created_at) AS week_of FROM alerts)
SELECT strftime(week_of, '%Y-%m-%d') AS week, status, count(*) AS alerts
FROM counted
WHERE week_of >= (SELECT max(week_of) FROM counted) - INTERVAL 51 WEEK
GROUP BY ALL ORDER BY week, status`,
    chart: { kind: 'stacked_bar', x: 'week', y: 'alerts', series: 'status', unit: 'alerts' },
  },
  {
    name: 'pages_by_person_and_hour',
    title: 'On-call pages, by person and hour',
    howCounted:
      'Notifications of people in escalations (events notified_users), by the hour of the day (UTC), of the last 90 days with pages; the 15 people with the most.',
    needs: ['escalations', 'users'],
    sql: `WITH events AS (
  SELECT unnest(from_json(events, '["JSON"]')) AS event FROM escalations
), paged AS (
  SELECT TRY_CAST(event->>'$.occurred_at' AS TIMESTAMPTZ) AS paged_at,
         unnest(from_json(event->'$.users', '["JSON"]'))->>'$.id' AS user_id
  FROM events WHERE event->>'$.event' = 'notified_users'
), latest AS (
  SELECT * FROM paged WHERE paged_at >= (SELECT max(paged_at) FROM paged) - INTERVAL 90 DAY
), most AS (
  SELECT user_id, count(*) AS total FROM latest GROUP BY ALL ORDER BY total DESC, user_id LIMIT 15
)
SELECT users.name AS person, hour(paged_at) AS hour_utc, count(*) AS pages
FROM latest JOIN most USING (user_id) JOIN users ON users.id = user_id
GROUP BY users.name, total, hour_utc
ORDER BY total DESC, person, hour_utc`,
    chart: { kind: 'heatmap', x: 'hour_utc', y: 'person', value: 'pages', unit: 'pages' },
  },
  {
    name: 'open_follow_ups',
    title: 'Open follow-ups, by age and team',
    howCounted:
      'Follow-ups with status outstanding, of real incidents (mode standard or retrospective), by the days since created_at; the 12 teams with the most.',
    needs: ['follow_ups'],
    sql: `WITH open AS (
  SELECT coalesce(assignee_team->>'$.name', 'no team') AS team,
         date_diff('day', created_at, current_timestamp) AS days
  FROM follow_ups
  WHERE status = 'outstanding' AND incident_mode IN ('standard', 'retrospective')
), most AS (
  SELECT team, count(*) AS total FROM open GROUP BY ALL ORDER BY total DESC, team LIMIT 12
)
SELECT team,
       CASE WHEN days < 7 THEN 'under a week' WHEN days < 30 THEN 'under a month'
            WHEN days < 90 THEN 'under 3 months' ELSE 'older' END AS age,
       count(*) AS follow_ups
FROM open JOIN most USING (team)
GROUP BY team, total, age
ORDER BY total DESC, team, min(days)`,
    chart: { kind: 'stacked_bar', x: 'team', y: 'follow_ups', series: 'age', unit: 'follow-ups' },
  },
  {
    name: 'noisiest_alert_sources',
    title: 'Noisiest alert sources',
    howCounted:
      'Alerts by their source, created in the 30 days before the newest alert; the 12 sources with the most.',
    needs: ['alerts', 'alert_sources'],
    sql: `SELECT coalesce(alert_sources.name, alert_source_id) AS source, count(*) AS alerts
FROM alerts LEFT JOIN alert_sources ON alert_sources.id = alert_source_id
WHERE alerts.created_at >= (SELECT max(created_at) FROM alerts) - INTERVAL 30 DAY
GROUP BY ALL ORDER BY alerts DESC, source LIMIT 12`,
    chart: { kind: 'bar', x: 'source', y: 'alerts', unit: 'alerts' },
  },
];
