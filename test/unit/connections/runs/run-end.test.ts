import { WorkflowFailedError } from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { endOfFailed, unlinked } from '../../../../src/connections/runs/run-end.ts';

const terminatedFor = (reason: string) =>
  endOfFailed(new WorkflowFailedError('failed', new TerminatedFailure(reason), 'RETRY_POLICY_NOT_SET'));

it('does not blame an operator for a run that unlink terminated', () => {
  const end = terminatedFor(unlinked);
  expect(end).toMatchObject({ outcome: 'terminated', failure: { error: 'TerminatedFailure' } });
  const { message, advice } = 'failure' in end ? end.failure : { message: '', advice: '' };
  expect(message).toContain('unlink');
  expect(`${message} ${advice}`).not.toMatch(/operator|whoever/);
});

it('repeats the reason that an operator gave', () => {
  expect(terminatedFor('maintenance')).toMatchObject({
    failure: { message: expect.stringMatching(/operator.*maintenance/) as string },
  });
});
