#!/usr/bin/env node
import { type OutputLostError, watchOutputs } from './lost-output.ts';
import { run } from './run.ts';

const interrupt = new AbortController();
// The handler stays after the first signal: libraries that clean up at exit (locks, the cursor) end the process if they
// are the only listeners. A second signal of either kind ends the process as usual. One that comes at once is the same
// Ctrl-C: npm and timeout pass on a signal that the terminal has already sent to every process.
const signals = ['SIGINT', 'SIGTERM'] as const;
const sameSignalMs = 500;
let first: number | undefined;
const stop = (signal: NodeJS.Signals) => {
  if (first === undefined || Date.now() - first < sameSignalMs) {
    first ??= Date.now();
    interrupt.abort();
    return;
  }
  for (const each of signals) process.off(each, stop);
  process.kill(process.pid, signal);
};
for (const signal of signals) process.on(signal, stop);

const { stdin, stdout, stderr } = process;
// An unhandled loss of the output would end the process at once and leave its Temporal server running.
let lost: OutputLostError | undefined;
watchOutputs({ 'standard output': stdout, 'standard error': stderr }, (error) => {
  lost = error;
  interrupt.abort(error);
});
let code = await run(process.argv.slice(2), { stdin, stdout, stderr, signal: interrupt.signal });
for (const stream of [stdout, stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
if (lost?.sentence !== undefined) {
  // The command did its work, but its output was lost.
  code ||= lost.exitCode;
  await new Promise<void>((resolve) => stderr.write(lost!.sentence!, () => resolve()));
}
// Temporal's runtime would keep the process alive if the command failed before it had a worker.
process.exit(code);
