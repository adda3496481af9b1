/** Rows per page: the most that the API serves. */
export const rowsPerPage = 250;

/**
 * A response of `GET /v2/incidents` with invented incidents of about 2 kB each. Every page has other rows, and the same
 * number gives the same page.
 */
export function incidentPage(page: number): Buffer {
  const random = seeded(page);
  const rows = Array.from({ length: rowsPerPage }, (_, index) =>
    JSON.stringify({ ...headOf(page * rowsPerPage + index), ...bodyOf(random) }),
  );
  const pagination = `"pagination_meta":{"after":"01H","page_size":${rowsPerPage}}`;
  return Buffer.from(`{"incidents":[${rows.join(',')}],${pagination}}`, 'latin1');
}

/** The fields that are unique to a row, by its number. */
function headOf(number: number) {
  const reference = `INC-${String(number).padStart(9, '0')}`;
  const at = new Date(Date.UTC(2023, 0, 1) + number * 61_000).toISOString();
  return {
    id: `01H${number.toString(36).toUpperCase().padStart(9, '0')}QJ4WZ0N8XKPT3V`,
    reference,
    name: `outage ${number.toString(36).padStart(9, '0')}`,
    permalink: `https://app.incident.example/incidents/${reference}`,
    created_at: at,
    updated_at: at,
  };
}

const words =
  'database latency elevated gateway timeout checkout payment failure kubernetes node memory disk full replication lag queue backlog worker crash deploy rollback certificate expired network packet loss search index stale cache eviction login errors spike webhook delay'.split(
    ' ',
  );

/** The remaining fields of a row. */
function bodyOf(random: () => number) {
  const below = (end: number) => Math.floor(random() * end);
  const sentence = (length: number) => Array.from({ length }, () => words[below(words.length)]!).join(' ');
  const id = () =>
    `01G${below(2 ** 52)
      .toString(36)
      .toUpperCase()
      .padStart(12, '0')}ZQ3XW1N5TKB`;
  const user = () => {
    const number = below(2_000);
    return {
      id: id(),
      name: `Person ${number}`,
      email: `person.${number}@example.com`,
      role: 'responder',
      slack_user_id: `U0${number}`,
    };
  };
  const time = () => new Date(Date.UTC(2023, 0, 1) + below(94_608_000) * 1_000).toISOString();
  return {
    summary: `${sentence(12 + below(25))}.`,
    mode: 'standard',
    visibility: 'public',
    call_url: random() < 0.3 ? `https://meet.example/${below(1e9)}` : null,
    slack_channel_id: `C0${below(1e9)}`,
    slack_team_id: 'T02A1FSLE8J',
    has_debrief: random() < 0.3,
    workload_minutes_total: below(60_000) / 100,
    workload_minutes_late: below(6_000) / 100,
    workload_minutes_sleeping: 0,
    workload_minutes_working: below(60_000) / 100,
    last_activity_at: time(),
    creator: { user: user() },
    incident_status: { id: id(), name: 'Closed', category: 'closed', rank: 5 },
    severity: { id: id(), name: 'Major', rank: 2 },
    incident_type: { id: id(), name: 'Default', is_default: true },
    incident_role_assignments: [
      { role: { id: id(), name: 'Incident Lead', shortform: 'lead', role_type: 'lead' }, assignee: user() },
    ],
    custom_field_entries: [
      {
        custom_field: { id: id(), name: 'Affected team', field_type: 'single_select' },
        values: [{ value_option: { id: id(), value: sentence(2) } }],
      },
    ],
    incident_timestamp_values: [
      { incident_timestamp: { id: id(), name: 'Reported at', rank: 1 }, value: { value: time() } },
      { incident_timestamp: { id: id(), name: 'Fixed at', rank: 4 }, value: { value: time() } },
    ],
    duration_metrics: [{ duration_metric: { id: id(), name: 'Time to fix' }, value_seconds: below(200_000) }],
    team_ids: [],
    postmortem_document_url: random() < 0.2 ? `https://docs.example/${id()}` : null,
  };
}

/** Mulberry32: numbers from 0 to below 1, the same ones every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
