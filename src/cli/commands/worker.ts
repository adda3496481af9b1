import { once } from 'node:events';
import { Command } from 'commander';
import type { Log } from '../../serving/logs.ts';
import { resolveKey } from '../../settings/key.ts';
import type { Settings } from '../../settings/settings.ts';
import { keyVariable } from '../options/key-options.ts';
import { addWorkerOptions, type WorkerOptions } from '../options/serving-options.ts';
import { throwIfOutputLost } from '../lost-output.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

/** `worker`: carries out the scheduled runs of connections in production. */
export function workerCommand(session: Session): Command {
  return addWorkerOptions(
    new Command('worker').description(
      'carry out the scheduled runs of one connection or of many until SIGTERM, then hand over the work in progress; ' +
        'a settings file that is added, changed or deleted takes effect within seconds',
    ),
  )
    .addHelpText(
      'after',
      examples(
        [
          'In production; several workers share the runs',
          `export TEMPORAL_ADDRESS=temporal:7233 ${keyVariable}=…\n  incident-io-source worker`,
        ],
        [
          'Many connections in one process',
          'incident-io-source worker --settings connections/ --memory 1GiB',
        ],
        ['Those of one pool', 'incident-io-source worker --settings connections/ --pool eu'],
        ['With metrics for Prometheus', 'incident-io-source worker --metrics 127.0.0.1:9464'],
        ['With probes for Kubernetes', 'incident-io-source worker --health 0.0.0.0:8086'],
        ['With webhooks, behind a proxy', 'incident-io-source worker --webhooks 127.0.0.1:8090'],
      ),
    )
    .action((options: WorkerOptions) => work(session, options));
}

async function work(
  session: Session,
  { settings: paths, pool, memory, ...endpoints }: WorkerOptions,
): Promise<void> {
  const [{ isOneFile }, { readSettings }, { createLog }, { serveConnections }, { WatchedSettings }] =
    await Promise.all([
      import('../../settings/files.ts'),
      import('../../settings/file.ts'),
      import('../../serving/logs.ts'),
      import('../../serving/serve-connections.ts'),
      import('../../serving/watched-settings.ts'),
    ]);
  const { signal, stderr } = session;
  const log = createLog(stderr);
  // With one file, its mistakes are reported at once; with many, one of them must not hold up the others.
  const isOne = await isOneFile(paths);
  if (isOne) await resolveKey((await readSettings(paths[0])).apiKey);
  const connections = await WatchedSettings.open(paths, pool, log);
  const [only] = isOne ? connections.list() : [];
  if (!only) await tellMissingKeys(connections.list(), log);
  await serveConnections(
    {
      connections,
      watch: (done) => connections.watch(done),
      endpoints,
      log,
      signal,
      ...(memory !== undefined && { memory }),
      ...(only && { only }),
    },
    async () => {
      if (!signal.aborted) await once(signal, 'abort');
    },
  );
  throwIfOutputLost(signal);
}

/** Runs without a key wait until there is one. This warns at the start instead of at the first run. */
async function tellMissingKeys(connections: readonly Settings[], log: Log): Promise<void> {
  const { SourceError } = await import('../../errors.ts');
  for (const { connection, apiKey } of connections) {
    try {
      await resolveKey(apiKey);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      log('error', 'a connection has no key', { connection, error: error.message, advice: error.advice });
    }
  }
}
