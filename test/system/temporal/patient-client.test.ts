import { expect, it, onTestFinished } from 'vitest';
import { TemporalUnavailableError } from '../../../src/errors.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { connectDevServer } from '../../../src/temporal/connection.ts';
import { useDevServer } from '../../../src/temporal/dev-server/dev-server.ts';
import { patientClient } from '../../../src/temporal/patient-client.ts';
import { temporaryFolder } from '../../helpers/sync.ts';

quietRuntime();

/** A server of the test's own, and what starts it again on its port and database. */
async function serverOf() {
  const options = { stateDir: await temporaryFolder(), env: process.env, report: () => undefined };
  const first = await useDevServer(options);
  const access = await connectDevServer(first);
  onTestFinished(() => access.close());
  const startAgain = async () => {
    const again = await useDevServer(options);
    onTestFinished(() => again.release());
  };
  return { access, kill: () => process.kill(first.pid, 'SIGKILL'), startAgain };
}

const timeout = 90_000;

it('repeats calls until the server is back, and says once that it does not answer', { timeout }, async () => {
  const { access, kill, startAgain } = await serverOf();
  const said: string[] = [];
  const report = (line: string) => void said.push(line);
  const { workflow } = patientClient(access, { ms: Infinity, report });
  const handle = await workflow.start('none', { taskQueue: 'none', workflowId: 'one' });
  kill();
  const descriptions = Promise.all([handle.describe(), workflow.getHandle('one').describe()]);
  await expect.poll(() => said).toHaveLength(1);
  await startAgain();
  const [one, other] = await descriptions;
  expect([one.status.name, other.runId]).toEqual(['RUNNING', one.runId]);
  expect(said).toHaveLength(2);
  for (const line of said) expect(line).toContain(access.address);
});

it('fails when patience runs out, and a call with a deadline at its deadline', { timeout }, async () => {
  const { access, kill } = await serverOf();
  kill();
  const client = patientClient(access, { ms: 1_000 });
  // Temporal's client wraps every error that a call throws.
  await expect(client.workflow.getHandle('one').describe()).rejects.toMatchObject({
    cause: expect.any(TemporalUnavailableError) as TemporalUnavailableError,
  });
  const patient = patientClient(access, { ms: Infinity });
  const limited = patient.withDeadline(Date.now() + 100, () => patient.workflow.getHandle('one').describe());
  await expect(limited).rejects.toThrow(/./);
});

it('accepts any answer: a call that was refused is not repeated', async () => {
  const { access } = await serverOf();
  const missing = patientClient(access, { ms: Infinity }).workflow.getHandle('missing').describe();
  await expect(missing).rejects.toMatchObject({ name: 'WorkflowNotFoundError' });
});
