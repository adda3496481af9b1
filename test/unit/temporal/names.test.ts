import { expect, it, onTestFinished, vi } from 'vitest';
import {
  destinationQueue,
  isPoolQueue,
  scheduledConnection,
  scheduleId,
  tableOfRun,
  tableWorkflowId,
  workerQueue,
} from '../../../src/temporal/names.ts';

it('one queue belongs to all folders of a host, one to all prefixes of a bucket, and one to a pool', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const on = (host: string, destination: string, pool?: string) => {
    vi.stubEnv('INCIDENT_IO_SOURCE_HOST', host);
    return workerQueue({ destination, pool });
  };
  expect(on('one', '/a')).toBe(on('one', '/b'));
  expect(on('one', '/a')).not.toBe(on('two', '/a'));
  expect(on('one', 's3://bucket/a')).toBe(on('two', 's3://bucket/b?region=eu-west-1'));
  expect(on('one', 's3://bucket/a')).not.toBe(on('one', 's3://bucket/a?endpoint=https://store.example'));
  expect(on('one', 's3://bucket/a')).not.toBe(on('one', 'gs://bucket/a'));
  expect(on('one', '/a', 'eu')).toBe(on('two', 's3://bucket/a', 'eu'));
  expect(['/a', 's3://bucket/a'].map((destination) => isPoolQueue(on('one', destination)))).toEqual([
    false,
    false,
  ]);
  expect(isPoolQueue(on('one', '/a', 'eu'))).toBe(true);
  // Schedules of the version before still name it.
  expect(destinationQueue('/a')).toMatch(/^incident-io-source:[0-9a-f]{16}$/);
});

it('knows a connection by the workflow id of its scheduled runs, and none by another id', () => {
  const id = `${scheduleId('acme-eu', 'incident_updates')}-workflow-2026-11-29T00:00:00Z`;
  expect(scheduledConnection(id)).toBe('acme-eu');
  expect(scheduledConnection(tableWorkflowId('/data', 'incidents'))).toBeUndefined();
  expect(tableOfRun(id)).toBe('incident_updates');
  expect(tableOfRun(tableWorkflowId('/data', 'incidents'))).toBe('incidents');
  expect(tableOfRun('of-a-platform')).toBeUndefined();
});
