import { resolve } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { tableWorkflowId, destinationQueue } from '../../../src/temporal/names.ts';
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
  ['gs://bucket/a/?endpoint=http://127.0.0.1:4443/', 'gs://bucket/a?endpoint=http://127.0.0.1:4443'],
  ['abfss://lake@acme.dfs.core.windows.net/a/b/', 'abfss://lake@acme.dfs.core.windows.net/a/b'],
  ['abfss://lake@acme.dfs.core.chinacloudapi.cn', 'abfss://lake@acme.dfs.core.chinacloudapi.cn'],
  // The form that other readers understand; to them `az://acme/lake` is a container acme.
  ['az://acme/lake/a/b', 'abfss://lake@acme.dfs.core.windows.net/a/b'],
])('%s is stored as %s', (text, kept) => {
  expect(destinationOf(text, '/home')).toBe(kept);
  expect(destinationOf(kept, '/elsewhere')).toBe(kept);
});

it.each([
  ['ftp://bucket/a', /s3:\/\/bucket\/prefix/],
  ['', /s3:\/\/bucket\/prefix/],
  ['lake/what?/tables', /[*] or [?]/],
  ['s3:///a', /3 to 63 letters/],
  ['s3://b/a', /3 to 63 letters/],
  ['s3:/bucket/a', /s3:\/\/bucket\/prefix/],
  ['s3://bucket//a', /empty part/],
  ['s3://bucket/a/../b', /empty part/],
  ['s3://me:secret@bucket/a', /credentials do not belong/],
  ['s3://bucket/a?secret_key=secret', /secret_key.* endpoint, region, pathStyle/],
  ['s3://bucket/a?endpoint=https://me:secret@store', /endpoint takes/],
  ['gs://me:secret@bucket/a', /credentials do not belong/],
  ['gs://Bucket/a', /does not name a bucket/],
  ['gs://bucket/a?region=eu', /no parameter region, only endpoint/],
  ['abfss://lake:secret@acme.dfs.core.windows.net/a', /credentials do not belong/],
  ['abfss://acme.dfs.core.windows.net/lake', /container@account/],
  ['abfss://lake@acme.example.com/a', /storage account/],
  ['abfss://lake@acme.dfs.core.windows.net/a?sig=secret', /no parameter sig/],
  ['az://acme', /container/],
  ['az://lake/Ab/c', /container/],
  ['s3://bucket/a?pathStyle=yes', /pathStyle takes true or false/],
])('%s is refused, and the error repeats no secret', (text, problem) => {
  const refused = () => destinationOf(text);
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow(problem);
  expect(refused).not.toThrow('secret@');
  expect(refused).not.toThrow('=secret');
});

it('finds the bucket of a destination and how to reach it', () => {
  expect(bucketOf('/folder')).toBeUndefined();
  expect(bucketOf('s3://bucket/a/b?pathStyle=false&region=eu-west-1')).toEqual({
    cloud: 's3',
    bucket: 'bucket',
    endpoint: undefined,
    prefix: 'a/b',
    region: 'eu-west-1',
    pathStyle: false,
  });
});

it('finds the account and container of Azure in both forms', () => {
  const at = bucketOf('abfss://lake@acme.dfs.core.windows.net/a');
  expect(at).toEqual({
    cloud: 'azure',
    account: 'acme',
    domain: 'core.windows.net',
    bucket: 'lake',
    prefix: 'a',
    endpoint: undefined,
  });
  expect(bucketOf('az://acme/lake/a')).toEqual(at);
});

it('names the queue and workflows of a bucket alike on every machine, those of a folder by its host', () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  const namesOn = (host: string, destination: string) => {
    vi.stubEnv('INCIDENT_IO_SOURCE_HOST', host);
    return [destinationQueue(destination), tableWorkflowId(destination, 'incidents')];
  };
  const bucket = 's3://bucket/a';
  expect(namesOn('one', bucket)).toEqual(namesOn('two', bucket));
  expect(namesOn('one', bucket)).toEqual(namesOn('one', `${bucket}?region=eu-west-1`));
  expect(namesOn('one', bucket)).not.toEqual(namesOn('one', `${bucket}?endpoint=https://store.example`));
  expect(namesOn('one', bucket)).not.toEqual(namesOn('one', 's3://bucket/b'));
  expect(namesOn('one', '/a')).not.toEqual(namesOn('two', '/a'));
});
