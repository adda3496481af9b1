/** Rows per page: the most that the API serves. */
export const rowsPerPage = 250;

/** A prepared page: its bytes, and where in them each row has the fields that are unique to it. */
type Stock = { readonly bytes: Buffer; readonly places: readonly { at: number; field: Field }[][] };

/** The fields that are unique to a row, by its number. Their length is constant, so they can be overwritten in place. */
const fields = {
  id: (number: number) => `01H${number.toString(36).toUpperCase().padStart(9, '0')}QJ4WZ0N8XKPT3V`,
  reference: (number: number) => `INC-${String(number).padStart(9, '0')}`,
  name: (number: number) => `outage ${number.toString(36).padStart(9, '0')}`,
  at: (number: number) => new Date(Date.UTC(2023, 0, 1) + number * 61_000).toISOString(),
};
type Field = keyof typeof fields;

/**
 * Responses of `GET /v2/incidents` with invented incidents of about 2 kB each. They reuse a stock of prepared pages and
 * only overwrite what is unique to each row, so that making a page costs next to nothing compared to reading it.
 */
export class IncidentPages {
  readonly #stock: readonly Stock[];

  /** @param pages how many pages to prepare, which is how many can be in use at once */
  constructor(pages = 40) {
    const random = seeded(1);
    this.#stock = Array.from({ length: pages }, () => stockOf(random));
  }

  /** The bytes of page `page`, from 0. They are overwritten once the whole stock has been used again. */
  answer(page: number): Buffer {
    const { bytes, places } = this.#stock[page % this.#stock.length]!;
    places.forEach((own, index) => {
      const number = page * rowsPerPage + index;
      for (const { at, field } of own) bytes.write(fields[field](number), at, 'latin1');
    });
    return bytes;
  }
}

/** The text in front of each unique field, in the order of a row. */
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

/** The remaining fields of a row, without braces. */
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
