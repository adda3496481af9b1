import { once } from 'node:events';
import { UsageError } from '../../../errors.ts';
import { lifeOf } from '../../../sandbox/life.ts';
import { type Sandbox, sandboxSecret, type Sizes, startSandbox } from '../../../sandbox/sandbox.ts';
import { throwIfOutputLost } from '../../lost-output.ts';
import { keyVariable } from '../../options/key-options.ts';
import type { Session } from '../../session.ts';

export type ServingOptions = {
  readonly port: number;
  readonly seed: number;
  readonly latency: number;
  readonly faults: number;
  /** False with `--no-limits`. */
  readonly limits: boolean;
  readonly live?: true;
  readonly webhooks?: string;
  readonly json?: true;
  readonly sizes: Sizes;
};

/** Serves until the session is interrupted. */
export async function serveSandbox(
  { stdout, signal }: Session,
  { port, seed, latency, faults, limits, live, webhooks, json, sizes }: ServingOptions,
): Promise<void> {
  const sandbox = await start(port, {
    seed,
    faults,
    latencyMs: latency,
    sizes,
    ...(!limits && { limits: 'off' as const }),
  });
  if (webhooks !== undefined) sandbox.sendWebhooks({ url: webhooks, secret: sandboxSecret });
  if (live) sandbox.beforeAnswer = lifeOf(sandbox, { seed });
  try {
    const { url, key } = sandbox;
    stdout.write(json ? `${JSON.stringify({ url, key })}\n` : introductionTo(sandbox, webhooks));
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await sandbox.stop();
  }
  throwIfOutputLost(signal);
}

async function start(
  port: number,
  options: Omit<NonNullable<Parameters<typeof startSandbox>[0]>, 'port'>,
): Promise<Sandbox> {
  try {
    return await startSandbox({ ...options, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new UsageError(
      `Port ${port} of 127.0.0.1 ${code === 'EACCES' ? 'needs more rights than you have' : 'is in use'}.`,
      'Choose another with --port, or 0 for any free one.',
    );
  }
}

function introductionTo({ url, key }: Sandbox, webhooks: string | undefined): string {
  return `The sandbox serves a made-up account at ${url} with the key ${key}. Ctrl-C ends it.

In another terminal:
  export ${keyVariable}=${key}
  incident-io-source check --base-url ${url}
  incident-io-source sync --to ./warehouse --base-url ${url}
${webhooks === undefined ? '' : `\nIts webhooks go to ${webhooks}, signed with ${sandboxSecret}.\n`}`;
}
