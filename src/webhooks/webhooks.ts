import type { Client } from '@temporalio/client';
import type { MetricMeter } from '@temporalio/common';
import type { Log } from '../serving/logs.ts';
import type { Settings } from '../settings/settings.ts';
import { hintFigures, type Labels, noFigures } from './hint-figures.ts';
import { HintNotes, type WithWarehouse } from './hint-notes.ts';
import { Hints } from './hints.ts';
import { KnownSecrets } from './known-secrets.ts';
import { serveReceiver } from './receiver.ts';

/** What the receiver of webhooks needs from its process. */
export type WebhookWorld = {
  /** The connections that it serves now. */
  readonly connections: () => readonly Settings[];
  /** Calls must fail within seconds if the server does not answer: the hint is then kept for a retry. */
  readonly client: Client;
  readonly withWarehouse: WithWarehouse;
  readonly log: Log;
  readonly meter?: MetricMeter | undefined;
  /** The labels that identify the connection; none if every metric of the process already has them. */
  readonly labelsOf?: ((settings: Settings) => Labels) | undefined;
};

/**
 * Receives incident.io's webhooks at `address` (`127.0.0.1:8090`) for the connections whose settings have `webhooks`,
 * and triggers the tables that they concern. Only the type and time of an event are used: the row comes from the API.
 * Throws `UsageError` if the process cannot listen there.
 *
 * `close` stops receiving and triggers the tables whose hints are still waiting.
 */
export async function receiveWebhooks(
  address: string,
  { connections, client, withWarehouse, log, meter, labelsOf }: WebhookWorld,
): Promise<{ readonly close: () => Promise<void> }> {
  const figures = meter ? hintFigures(meter, labelsOf) : noFigures;
  const secrets = new KnownSecrets(connections, log);
  const hints = new Hints(client, log, figures);
  const notes = new HintNotes(withWarehouse, log);
  await secrets.read();
  const receiver = await serveReceiver(address, {
    connection: (name) => connections().find(({ connection, webhooks }) => connection === name && webhooks),
    secrets,
    log,
    onDelivery: figures.delivered,
    onEvent: (settings, tables, sentAt) => {
      hints.hint(settings, tables, sentAt);
      notes.hinted(settings, tables);
    },
  });
  const taking = connections().filter(({ webhooks }) => webhooks);
  if (taking.length === 0) log('warn', 'no connection has webhooks in its settings, so none are accepted');
  for (const { connection } of taking) {
    log('info', 'webhooks are accepted', { connection, url: `http://${address}/webhooks/${connection}` });
  }
  return {
    close: async () => {
      await receiver.close();
      await Promise.all([hints.stop(), notes.stop()]);
    },
  };
}
