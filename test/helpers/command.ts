import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A command line in a process of its own, killed after the test if it still runs. */
export type RunningCommand = {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves once standard output or standard error contains the text; rejects if the process ends first. */
  readonly says: (text: string) => Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
};

/**
 * Runs the TypeScript sources.
 * @param env in addition to this process's environment
 * @param root the folder of other sources than these
 * @param stdout a file's descriptor, instead of what `out` collects
 */
export function startCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  root = here('../..'),
  stdout?: number,
): RunningCommand {
  const stdio: StdioOptions = ['pipe', stdout ?? 'pipe', 'pipe'];
  const child = spawn(
    process.execPath,
    ['--import', here('./run-typescript.mjs'), join(root, 'src/cli/main.ts'), ...args],
    { env: { ...process.env, ...env }, stdio },
  );
  let [out, err] = ['', ''];
  child.stdout?.on('data', (text: Buffer) => void (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => void (err += text.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const says = async (text: string) => {
    const heard = () => out.includes(text) || err.includes(text);
    while (!heard()) {
      if (child.exitCode !== null || child.signalCode !== null) {
        await ended;
        if (heard()) return;
        throw new Error(`it ended without saying ${JSON.stringify(text)}:\n${out}\n${err}`);
      }
      const outputs = [child.stdout, child.stderr].filter((output) => output !== null);
      await Promise.race([...outputs.map((output) => once(output, 'data')), ended]);
    }
  };
  return { child, out: () => out, err: () => err, says, ended };
}
