import type { Command } from 'commander';
import type { Session } from '../session.ts';

type Listed = {
  /** For the list of commands; also the description of a command that has no other. */
  readonly summary: string;
  readonly load: () => Promise<(session: Session) => Command>;
};

/**
 * All commands by name, in the order of the help. Their modules are loaded only when needed: most load the tables, which
 * takes longer than everything else that `--help` does.
 */
export const commands: { readonly [name: string]: Listed } = {
  tables: {
    summary: 'list all tables, or show the columns of one; needs no API key',
    load: async () => (await import('./tables.ts')).tablesCommand,
  },
  check: {
    summary: 'check the API key: its account, and which tables it can read',
    load: async () => (await import('./check.ts')).checkCommand,
  },
  doctor: {
    summary: 'check everything that a connection needs, each with its remedy',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  sync: { summary: 'sync tables now', load: async () => (await import('./sync/sync.ts')).syncCommand },
  link: {
    summary: 'link an account and choose its tables',
    load: async () => (await import('./link/link.ts')).linkCommand,
  },
  apply: {
    summary: 'update the schedules to match the settings file',
    load: async () => (await import('./apply.ts')).applyCommand,
  },
  unlink: {
    summary: 'end a connection; its tables stay',
    load: async () => (await import('./unlink.ts')).unlinkCommand,
  },
  status: {
    summary: 'how tables, or many connections, are doing',
    load: async () => (await import('./status/status.ts')).statusCommand,
  },
  runs: {
    summary: 'the history of runs; runs show <id> shows one in full',
    load: async () => (await import('./runs/runs.ts')).runsCommand,
  },
  trigger: {
    summary: 'sync tables now, by their schedules',
    load: async () => (await import('./trigger.ts')).triggerCommand,
  },
  pause: { summary: 'pause schedules', load: async () => (await import('./pause.ts')).pauseCommand },
  resume: {
    summary: 'resume paused schedules',
    load: async () => (await import('./resume.ts')).resumeCommand,
  },
  resync: {
    summary: 'read tables from scratch',
    load: async () => (await import('./resync.ts')).resyncCommand,
  },
  cancel: { summary: 'stop runs in progress', load: async () => (await import('./cancel.ts')).cancelCommand },
  up: {
    summary: 'server, schedules and worker in one process',
    load: async () => (await import('./up.ts')).upCommand,
  },
  worker: {
    summary: 'carry out scheduled runs',
    load: async () => (await import('./worker.ts')).workerCommand,
  },
  console: {
    summary: 'serve a page to link, watch and query in a browser',
    load: async () => (await import('./console.ts')).consoleCommand,
  },
  query: {
    summary: 'query synced tables with SQL (DuckDB); only reads, and never sees a half-finished sync',
    load: async () => (await import('./query/query.ts')).queryCommand,
  },
  airbyte: {
    summary: 'answer Airbyte or PyAirbyte: spec, check, discover or read, as messages of its protocol',
    load: async () => (await import('./airbyte.ts')).airbyteCommand,
  },
  sandbox: {
    summary: 'serve a stand-in for the incident.io API with made-up data, until Ctrl-C',
    load: async () => (await import('./sandbox/sandbox.ts')).sandboxCommand,
  },
  demo: {
    summary: 'sync a made-up account from a sandbox, then answer three questions from its tables',
    load: async () => (await import('./demo/demo.ts')).demoCommand,
  },
  drift: {
    summary: 'compare the tables with the API’s own document',
    load: async () => (await import('./drift.ts')).driftCommand,
  },
  completion: {
    summary: 'print a completion script for your shell',
    load: async () => (await import('./completion/completion.ts')).completionCommand,
  },
};
