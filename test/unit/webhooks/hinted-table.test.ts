import { Connection } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import type { Settings } from '../../../src/settings/settings.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { patientClient } from '../../../src/temporal/patient-client.ts';
import type { TriggerOutcome } from '../../../src/webhooks/hint-figures.ts';
import { Hints } from '../../../src/webhooks/hints.ts';
import { freePort } from '../../helpers/serving.ts';

const hourly = { syncMethod: 'incremental', every: '1h' } as const;
const settings = {
  connection: 'prod',
  destination: '/nowhere',
  tables: { incidents: hourly, incident_updates: hourly },
} as unknown as Settings;

it('keeps hints while the Temporal server does not answer, and reports them as lost if the process ends', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const connection = Connection.lazy({ address, interceptors: [] });
  onTestFinished(() => connection.close());
  const outcomes: (readonly [string, TriggerOutcome])[] = [];
  const log: string[] = [];
  const client = patientClient({ connection: connection as never, namespace: 'default', address }, { ms: 1 });
  const hints = new Hints(client, (level, message) => void log.push(`${level}: ${message}`), {
    delivered: () => undefined,
    read: () => undefined,
    triggered: (_settings, table, outcome) => void outcomes.push([table, outcome]),
  });
  hints.hint(settings, [tableNamed('incident_updates'), tableNamed('incidents')], Date.now());
  await expect.poll(() => outcomes).toEqual([['incidents', 'failed']]);
  expect(log).toEqual([expect.stringMatching(/^warn: .*kept/)]);
  await hints.stop();
  // The child would have followed its parent’s run.
  expect(outcomes.at(-1)).toEqual(['incidents', 'lost']);
  expect(log.at(-1)).toMatch(/^error: .*lost/);
});
