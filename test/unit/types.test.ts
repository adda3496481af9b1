import type { ActivityOptions } from '@temporalio/workflow';
import { expect, it } from 'vitest';

it('has the compiler check Temporal durations', () => {
  // @ts-expect-error Without the path of `ms` in tsconfig.json any text passes as a duration.
  const options: ActivityOptions = { startToCloseTimeout: 'nonsense' };
  expect(options).toBeDefined();
});
