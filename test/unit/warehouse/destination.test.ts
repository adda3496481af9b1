import { resolve } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { tableWorkflowId, workerQueue } from '../../../src/temporal/names.ts';
import { bucketOf, destinationOf } from '../../../src/warehouse/store/destination.ts';

it.each([
  ['tables', resolve('/home', 'tables')],
  ['/abs/', resolve('/abs')],
  ['s3://bucket', 's3://bucket'],
  ['s3://bucket/', 's3://bucket'],
  ['s3://bucket/a/b/', 's3://bucket/a/b'],
  [
    's3://bucket/a?region=eu-west-1&pathStyle=false&endpoint=https://store.example:9000/',
    's3://bucket/a?endpoint=https://store.example:9000&pathStyle=false&region=eu-west-1',
  ],
])('%s is kept as %s', (text, kept) => {
  expect(destinationOf(text, '/home')).toBe(kept);
  expect(destinationOf(kept, '/elsewhere')).toBe(kept);
});

it.each([
  ['gs://bucket/a', 'takes the path of a folder'],
  ['', 'takes the path of a folder'],
  ['lake/what?/tables', 'its path holds * or ?'],
  ['s3:///a', 'names no bucket'],
  ['s3://b/a', 'names no bucket'],
  ['s3:/bucket/a', 'it takes the path of a folder, or s3://bucket/prefix'],
  ['s3://bucket//a', 'empty part'],
  ['s3://bucket/a/../b', 'empty part'],
  ['s3://me:secret@bucket/a', 'credentials do not belong'],
  ['s3://bucket/a?secret_key=secret', 'it takes no secret_key'],
  ['s3://bucket/a?endpoint=https://me:secret@store', 'endpoint takes the address'],
  ['s3://bucket/a?pathStyle=yes', 'pathStyle takes true or false'],
])('%s is refused, and no secret repeated', (text, problem) => {
  const refused = () => destinationOf(text);
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow(problem);
  expect(refused).not.toThrow('secret@');
  expect(refused).not.toThrow('=secret');
});

it('takes from a bucket what reaches it', () => {
  expect(bucketOf('/folder')).toBeUndefined();
  expect(bucketOf('s3://bucket/a/b?pathStyle=false&region=eu-west-1')).toEqual({
    bucket: 'bucket',
    prefix: 'a/b',
    region: 'eu-west-1',
    pathStyle: false,
  });
});

it('gives a bucket the same names from every machine, and a folder those of its own', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const namesOn = (host: string, destination: string) => {
    vi.stubEnv('INCIDENT_IO_SOURCE_HOST', host);
    return [workerQueue(destination), tableWorkflowId(destination, 'incidents')];
  };
  const bucket = 's3://bucket/a';
  expect(namesOn('one', bucket)).toEqual(namesOn('two', bucket));
  expect(namesOn('one', bucket)).toEqual(namesOn('one', `${bucket}?region=eu-west-1`));
  expect(namesOn('one', bucket)).not.toEqual(namesOn('one', `${bucket}?endpoint=https://store.example`));
  expect(namesOn('one', bucket)).not.toEqual(namesOn('one', 's3://bucket/b'));
  expect(namesOn('one', '/a')).not.toEqual(namesOn('two', '/a'));
});
