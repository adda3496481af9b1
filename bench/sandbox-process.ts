import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';

/** The requests that a sandbox has received so far. */
export type Asked = {
  /** The number of responses with status 200, per path. */
  readonly paths: { readonly [path: string]: number };
  /** The number of responses with status 429. */
  readonly refused: number;
  /** From the first request to the last. */
  readonly seconds: number;
};

/** A sandbox in its own process: it keeps every request in memory, which would count as growth of the worker. */
export type SandboxProcess = {
  readonly url: string;
  /** One key per connection, all of the same account. */
  readonly keys: readonly string[];
  readonly asked: () => Promise<Asked>;
  readonly stop: () => void;
};

/** The options that can be passed to another process. */
type Options = Pick<SandboxOptions, 'sizes' | 'limits' | 'until'> & {
  /** Before each response, a random time between these. */
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
    // Responses then overtake each other, as on a network.
    const { least, most } = latencyMs;
    setInterval(() => (sandbox.latencyMs = least + Math.random() * (most - least)), 5);
  }
  const keys = Array.from({ length: Number(process.argv[4]) }, () => sandbox.addKey());
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
  // The parent process is gone.
  process.on('disconnect', () => process.exit());
  process.send!({ url: sandbox.url, keys });
}
