import { setMaxListeners } from 'node:events';
import pRetry from 'p-retry';
import { Webhook } from 'standardwebhooks';
import type { ApiRecord } from './data/source.ts';

/** Where the sandbox sends its webhooks, and the signing secret, `whsec_…`. */
export type WebhookTarget = { readonly url: string; readonly secret: string };

/** The signing secret of a sandbox that is started on the command line. */
export const sandboxSecret = `whsec_${Buffer.from('incident-io-source sandbox').toString('base64')}`;

/** One message, and how it was answered; `status` is 0 if it was not. */
export type Delivery = { readonly id: string; readonly event: string; readonly status: number };

type Change = { readonly before?: ApiRecord; readonly after?: ApiRecord };
type Event = { readonly type: string; readonly payload: object };

/** The attempts, as the real service makes them: one at once, then two more. */
const retries = { retries: 2, minTimeout: 5_000, factor: 1 };

/** Sends events as incident.io does: one signed event per request, sent again if the receiver does not accept it. */
export class WebhookSender {
  readonly deliveries: Delivery[] = [];
  readonly #target: WebhookTarget;
  readonly #webhook: Webhook;
  readonly #stopping = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #sent = 0;

  constructor(target: WebhookTarget) {
    this.#target = target;
    this.#webhook = new Webhook(target.secret);
    // Every message that is being sent adds a listener.
    setMaxListeners(0, this.#stopping.signal);
  }

  happened(table: string, change: Change): void {
    for (const event of eventsOf(table, change)) this.send(event);
  }

  /** Sends any one event. */
  send({ type, payload }: Event): void {
    this.#sent += 1;
    const id = `msg_sandbox${this.#sent}`;
    const body = JSON.stringify({ event_type: type, [type]: payload });
    const sending = this.#deliver(id, type, body).finally(() => this.#open.delete(sending));
    this.#open.add(sending);
  }

  /** Resolves when everything that was sent is answered, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
  }

  async #deliver(id: string, event: string, body: string): Promise<void> {
    const { signal } = this.#stopping;
    let status = 0;
    const attempt = async () => {
      status = 0;
      // Each attempt has its own time, and so its own signature; the id stays.
      const at = new Date();
      const headers = {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': this.#webhook.sign(id, at, body),
      };
      const response = await fetch(this.#target.url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal,
      });
      ({ status } = response);
      if (!response.ok) throw new Error(`answered with ${status}`);
    };
    await pRetry(attempt, { ...retries, signal }).catch(() => undefined);
    this.deliveries.push({ id, event, status });
  }
}

/** What incident.io sends when a row is created, changed or removed: nothing for most tables. */
export function eventsOf(table: string, { before, after }: Change): readonly Event[] {
  const row = after ?? before ?? {};
  const isPrivate = row['visibility'] === 'private';
  const shown = (kind: string, event: string, payload: object = row): Event => ({
    type: `${isPrivate ? 'private' : 'public'}_${kind}.${event}`,
    // For a private incident, the event only has the id.
    payload: isPrivate ? { id: row['id'] } : payload,
  });
  const verb = before ? 'updated' : 'created';
  const statusOf = (record: ApiRecord | undefined) => {
    const status = record?.['incident_status'] ?? record?.['status'];
    return JSON.stringify((status as { readonly id?: string } | undefined)?.id ?? status);
  };
  const isMoved = before !== undefined && statusOf(before) !== statusOf(after);
  const move = { previous_status: before?.['status'], new_status: row['status'] };
  if (table === 'schedules') {
    const { id, name, timezone } = row;
    return [{ type: `schedule.${after ? verb : 'deleted'}_v1`, payload: { id, name, timezone } }];
  }
  // Nothing else is sent when something is deleted.
  if (!after) return [];
  switch (table) {
    case 'incidents': {
      const statuses = { previous_status: before?.['incident_status'], new_status: row['incident_status'] };
      const moved = shown('incident', 'incident_status_updated_v2', { incident: row, ...statuses });
      return [shown('incident', `incident_${verb}_v2`), ...(isMoved && !isPrivate ? [moved] : [])];
    }
    case 'follow_ups':
      return [shown('incident', `follow_up_${verb}_v2`)];
    case 'actions':
      return [shown('incident', `action_${verb}_v1`)];
    case 'postmortem_documents':
      return [
        shown('incident', 'postmortem_document_status_updated_v1', { postmortem_document: row, ...move }),
      ];
    case 'alerts':
      if (!before) return [shown('alert', 'alert_created_v1')];
      return isMoved && row['status'] === 'resolved' ? [shown('alert', 'alert_resolved_v1')] : [];
    case 'escalations':
      if (!before) return [shown('escalation', 'escalation_created_v1')];
      return isMoved
        ? [shown('escalation', 'escalation_status_updated_v1', { escalation: row, ...move })]
        : [];
    case 'status_page_incidents':
      return [{ type: 'status_page_incident.update_shared_v1', payload: { status_page_incident: row } }];
    default:
      return [];
  }
}
