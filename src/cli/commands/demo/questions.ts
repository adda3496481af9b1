/** Typical questions that people buy this product for, for the demo's tables. */
export const questions: readonly { readonly question: string; readonly sql: string }[] = [
  {
    question: 'How many hours until an incident is resolved, by severity and month (median)?',
    sql: `
WITH resolved AS (
  SELECT severity_id, created_at, date_diff('second', created_at, resolved_at) / 3600 AS hours
  FROM (
    SELECT severity_id, created_at,
           list_filter(from_json(incident_timestamp_values, '["JSON"]'),
                       lambda t: t->>'$.incident_timestamp.name' = 'Resolved at')[1]
             ->>'$.value.value' AS resolved
    FROM incidents
    -- Leave out what was never a real incident.
    WHERE mode IN ('standard', 'retrospective')
      AND incident_status_category NOT IN ('declined', 'canceled', 'merged')
  ), LATERAL (SELECT TRY_CAST(resolved AS TIMESTAMPTZ) AS resolved_at)
  WHERE resolved_at IS NOT NULL
)
SELECT strftime(resolved.created_at, '%Y-%m') AS month, severities.name AS severity,
       count(*) AS incidents, round(median(hours), 1) AS median_hours
FROM resolved JOIN severities ON severities.id = severity_id
WHERE resolved.created_at >= (SELECT date_trunc('month', max(created_at)) FROM resolved) - INTERVAL 2 MONTH
GROUP BY month, severities.name, severities.rank
ORDER BY month DESC, severities.rank DESC`,
  },
  {
    question: 'Which teams have follow-ups still open?',
    sql: `
SELECT coalesce(assignee_team->>'$.name', 'nobody') AS team, count(*) AS open,
       count(*) FILTER (WHERE assignee_id IS NULL) AS without_assignee,
       strftime(min(created_at), '%Y-%m-%d') AS oldest
FROM follow_ups
WHERE status = 'outstanding' AND incident_mode IN ('standard', 'retrospective')
GROUP BY ALL ORDER BY open DESC, team LIMIT 10`,
  },
  {
    question: 'Who was paged most?',
    sql: `
SELECT users.name, count(*) AS pages, count(DISTINCT paged.escalation_id) AS escalations
FROM (
  SELECT escalations.id AS escalation_id, unnest(from_json(event->'$.users', '["JSON"]'))->>'$.id' AS user_id
  FROM escalations, unnest(from_json(events, '["JSON"]')) AS happened(event)
  WHERE event->>'$.event' = 'notified_users'
) AS paged JOIN users ON users.id = paged.user_id
GROUP BY ALL ORDER BY pages DESC, users.name LIMIT 10`,
  },
];
