import { expect, it } from 'vitest';
import { fleetLimits, workerLimits } from '../../../src/serving/create-worker.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';

it('gives each further table room for all batches and the plan or commit of its runs', () => {
  const before = workerLimits(tables);
  const [windowed, plain] = [tableNamed('alerts'), tableNamed('severities')];
  const withPlain = workerLimits([...tables, plain]);
  const withWindowed = workerLimits([...tables, windowed]);
  const room = (limits: typeof before) => limits.maxConcurrentActivityTaskExecutions!;
  expect(room(withPlain)).toBe(room(before) + 2);
  // A full read of a windowed table reads eight windows at the same time.
  expect(room(withWindowed)).toBe(room(before) + 9);
  expect(withPlain.maxCachedWorkflows).toBeGreaterThan(before.maxCachedWorkflows!);
});

it('leaves workflow tasks for other runs while steps that hang hold as many as they may', () => {
  for (const limits of [fleetLimits, workerLimits(tables)]) {
    const { maxConcurrentLocalActivityExecutions, maxConcurrentWorkflowTaskExecutions } = limits;
    expect(maxConcurrentWorkflowTaskExecutions).toBeGreaterThan(maxConcurrentLocalActivityExecutions!);
    // The SDK lowers it to that, and only says so in the log.
    expect(maxConcurrentWorkflowTaskExecutions).toBeLessThanOrEqual(limits.maxCachedWorkflows!);
  }
});
