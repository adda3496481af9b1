import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, inject, it } from 'vitest';
import { quietRuntime } from '../../../src/serving/runtime.ts';

quietRuntime();
const codePath = inject('workflowBundlePath');
const folder = fileURLToPath(new URL('../../histories/', import.meta.url));
const historyOf = (file: string) =>
  JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as { events: object[] };
const replay = (history: unknown) => Worker.runReplayHistory({ workflowBundle: { codePath } }, history);

describe('a run that an earlier version started', () => {
  it.each(readdirSync(folder))('continues under this version: %s', async (file) => {
    await expect(replay(historyOf(file))).resolves.toBeUndefined();
  });

  it('fails to replay if its steps differ', async () => {
    const text = readFileSync(`${folder}one-window.json`, 'utf8').replaceAll('"commitSync"', '"commit"');
    await expect(replay(JSON.parse(text))).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});

it('bundles the workflows without anything from outside', () => {
  const code = readFileSync(codePath, 'utf8');
  const foreign = ['api.incident.io', 'read_parquet', 'class SourceError', 'createServer'];
  expect(foreign.filter((text) => code.includes(text))).toEqual([]);
});
