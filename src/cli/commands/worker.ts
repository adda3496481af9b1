import { once } from 'node:events';
import { Command } from 'commander';
import { resolveKey } from '../../settings/key.ts';
import { keyVariable } from '../options/key-options.ts';
import { addServingOptions, type ServingOptions } from '../options/serving-options.ts';
import { throwIfOutputLost } from '../lost-output.ts';
import type { Session } from '../session.ts';
import { examples } from '../terminal/help.ts';

/** `worker`: carries out a connection's scheduled runs in production. */
export function workerCommand(session: Session): Command {
  return addServingOptions(
    new Command('worker')
      .summary('carry out scheduled runs')
      .description(
        'carry out the scheduled runs of a connection until SIGTERM, then hand over what was begun',
      ),
  )
    .addHelpText(
      'after',
      examples(
        [
          'In production; several workers share the runs',
          `export TEMPORAL_ADDRESS=temporal:7233 ${keyVariable}=…\n  incident-io-source worker`,
        ],
        ['With metrics for Prometheus', 'incident-io-source worker --metrics 127.0.0.1:9464'],
        ['With probes for Kubernetes', 'incident-io-source worker --health 0.0.0.0:8086'],
      ),
    )
    .action((options: ServingOptions) => work(session, options));
}

async function work(session: Session, { settings: file, ...endpoints }: ServingOptions): Promise<void> {
  const [{ readSettings }, { createLog }, { serveConnection }] = await Promise.all([
    import('../../settings/file.ts'),
    import('../../serving/logs.ts'),
    import('../../serving/serve-connection.ts'),
  ]);
  const { signal, stderr } = session;
  const settings = await readSettings(file);
  // A worker without the key would take other workers' batches and fail them.
  await resolveKey(settings.apiKey);
  await serveConnection({ settings, endpoints, log: createLog(stderr), signal }, async () => {
    if (!signal.aborted) await once(signal, 'abort');
  });
  throwIfOutputLost(signal);
}
