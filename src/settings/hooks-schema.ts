import { z } from 'zod';
import { keyReferenceSchema } from './key-schema.ts';

/** The format of `webhooks`. */
export function webhooksSchema() {
  return z
    .strictObject(
      {
        secret: keyReferenceSchema('secret').describe(
          'Where the worker finds the signing secret, which incident.io shows next to the endpoint; two of them, separated by a space, while one replaces the other.',
        ),
      },
      { error: 'use an object of secret' },
    )
    .describe(
      'Webhooks of incident.io, which say when to sync a table ahead of its schedule; for worker --webhooks.',
    );
}

/** The format of `notify`. */
export function notifySchema() {
  return z
    .strictObject(
      {
        url: keyReferenceSchema('address').describe(
          'Where the worker finds the https:// address to send messages to, such as an incoming webhook of Slack.',
        ),
      },
      { error: 'use an object of url' },
    )
    .describe('Messages to people about tables that fail, are late, or have recovered.');
}
