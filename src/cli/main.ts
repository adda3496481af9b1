#!/usr/bin/env node
import { run } from './run.ts';

const interrupt = new AbortController();
// The second one, whichever it is, ends the process at once, as it would without us.
const signals = ['SIGINT', 'SIGTERM'] as const;
const stop = () => {
  for (const signal of signals) process.off(signal, stop);
  interrupt.abort();
};
for (const signal of signals) process.on(signal, stop);
// `… | head` closes the pipe; what the command is doing goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const { stdin, stdout, stderr } = process;
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, signal: interrupt.signal });
