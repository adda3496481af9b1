import { Readable } from 'node:stream';
import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { lastByteHeld } from './last-byte.ts';

/** Sends a command's request without its last byte, and the last byte once `whenReady` resolves. */
export function holdLastByte(
  command: PutObjectCommand,
  bytes: Uint8Array,
  whenReady: () => Promise<void>,
): void {
  let attempts = 0;
  command.middlewareStack.add(
    (next) => async (args) => {
      attempts += 1;
      // A store that refuses the request before it is complete ends the connection; the second attempt is an ordinary one.
      if (attempts > 1) return next(args);
      const request = args.request as { body: unknown };
      // It is signed, and retried, as bytes; only what goes to the connection is a stream.
      request.body = Readable.from(lastByteHeld(bytes, whenReady));
      try {
        return await next(args);
      } finally {
        request.body = bytes;
      }
    },
    // The innermost step: after it the request is sent.
    { step: 'deserialize', name: 'holdLastByte' },
  );
}
