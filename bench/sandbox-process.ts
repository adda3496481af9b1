import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';

/** What a sandbox was asked so far. */
export type Asked = {
  /** How often each path was answered with 200. */
  readonly paths: { readonly [path: string]: number };
  /** Answered with 429. */
  readonly refused: number;
  /** From the first request to the last one. */
  readonly seconds: number;
};

/** A sandbox in a process of its own: it remembers every request, which would look like the worker growing. */
export type SandboxProcess = {
  readonly url: string;
  /** One a connection: each is the key of an account of its own, with the same rows. */
  readonly keys: readonly string[];
  readonly asked: () => Promise<Asked>;
  readonly stop: () => void;
};

/** The options that can be handed to another process. */
type Options = Pick<SandboxOptions, 'sizes' | 'limits' | 'until'> & {
  /** Of each answer, at random. */
  readonly latencyMs?: { readonly least: number; readonly most: number };
};

export async function startSandboxProcess(options: Options, connections = 1): Promise<SandboxProcess> {
  const child = fork(fileURLToPath(import.meta.url), [
    childArgument,
    JSON.stringify(options),
    String(connections),
  ]);
  const [{ url, keys }] = (await once(child, 'message')) as [Pick<SandboxProcess, 'url' | 'keys'>];
  return {
    url,
    keys,
    asked: async () => {
      const answer = once(child, 'message') as Promise<[Asked]>;
      child.send('asked');
      return (await answer)[0];
    },
    stop: () => void child.kill('SIGTERM'),
  };
}

const childArgument = 'sandbox-in-this-process';

if (process.argv[2] === childArgument) {
  const { latencyMs, ...options } = JSON.parse(process.argv[3]!) as Options;
  const sandbox = await startSandbox(options);
  if (latencyMs) {
    // Answers then overtake each other, as they do on a network.
    const { least, most } = latencyMs;
    setInterval(() => (sandbox.latencyMs = least + Math.random() * (most - least)), 5);
  }
  const keys = Array.from({ length: Number(process.argv[4]) }, (_, account) =>
    sandbox.addKey({ identity: { dashboard_url: `https://app.incident.io/sandbox-${account}` } }),
  );
  process.on('message', () => {
    const paths: Record<string, number> = {};
    let [refused, first, last] = [0, Infinity, -Infinity];
    for (const { url, status, at } of sandbox.requests) {
      [first, last] = [Math.min(first, at), Math.max(last, at)];
      const { pathname } = new URL(url, sandbox.url);
      if (status === 200) paths[pathname] = (paths[pathname] ?? 0) + 1;
      if (status === 429) refused += 1;
    }
    const asked: Asked = { paths, refused, seconds: Math.max(0, last - first) / 1_000 };
    process.send!(asked);
  });
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit());
  process.send!({ url: sandbox.url, keys });
}
