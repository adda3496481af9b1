/** Rows of a page, as many as the API gives at most. */
export const rowsPerPage = 250;

/** Of each stock page: its bytes, and where in them its rows have what is their own. */
type Stock = { readonly bytes: Buffer; readonly places: readonly { at: number; field: Field }[][] };

/** What is a row's own, by number: texts of one length, so that they can be written into bytes that are there. */
const fields = {
  id: (number: number) => `01H${number.toString(36).toUpperCase().padStart(9, '0')}QJ4WZ0N8XKPT3V`,
  reference: (number: number) => `INC-${String(number).padStart(9, '0')}`,
  name: (number: number) => `outage ${number.toString(36).padStart(9, '0')}`,
  at: (number: number) => new Date(Date.UTC(2023, 0, 1) + number * 61_000).toISOString(),
};
type Field = keyof typeof fields;

/**
 * Texts of `GET /v2/incidents` answers with invented incidents of about 2 kB each. Made of a stock of pages into
 * which each time only what is unique to a row is written, so that making them costs nothing beside reading them.
 */
export class IncidentPages {
  readonly #stock: readonly Stock[];

  /** @param pages made beforehand; so many may be in use at once. */
  constructor(pages = 40) {
    const random = seeded(1);
    this.#stock = Array.from({ length: pages }, () => stockOf(random));
  }

  /** The text of page `page` (from 0), until as many further pages were asked for as there are in stock. */
  answer(page: number): Buffer {
    const { bytes, places } = this.#stock[page % this.#stock.length]!;
    places.forEach((own, index) => {
      const number = page * rowsPerPage + index;
      for (const { at, field } of own) bytes.write(fields[field](number), at, 'latin1');
    });
    return bytes;
  }
}

/** What stands before each of them in a row. */
const head: readonly (readonly [text: string, field: Field])[] = [
  ['{"id":"', 'id'],
  ['","reference":"', 'reference'],
  ['","name":"', 'name'],
  ['","permalink":"https://app.incident.example/incidents/', 'reference'],
  ['","created_at":"', 'at'],
  ['","updated_at":"', 'at'],
];

function stockOf(random: () => number): Stock {
  let text = '{"incidents":[';
  const places: Stock['places'][number][] = [];
  for (let row = 0; row < rowsPerPage; row += 1) {
    const own: Stock['places'][number] = [];
    for (const [before, field] of head) {
      text += before;
      own.push({ at: text.length, field });
      text += fields[field](0);
    }
    places.push(own);
    text += `",${bodyOf(random)}}${row === rowsPerPage - 1 ? '' : ','}`;
  }
  text += `],"pagination_meta":{"after":"01H","page_size":${rowsPerPage}}}`;
  return { bytes: Buffer.from(text, 'latin1'), places };
}

/** The rest of a row, without braces. */
function bodyOf(random: () => number): string {
  const below = (end: number) => Math.floor(random() * end);
  const words =
    'database latency elevated gateway timeout checkout payment failure kubernetes node memory disk full replication lag queue backlog worker crash deploy rollback certificate expired network packet loss search index stale cache eviction login errors spike webhook delay'.split(
      ' ',
    );
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
  const body = {
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
  return JSON.stringify(body).slice(1, -1);
}

/** Mulberry32: numbers in [0, 1), the same ones every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
