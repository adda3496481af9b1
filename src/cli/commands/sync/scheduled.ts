import { TemporalUnavailableError } from '../../../errors.ts';
import { startWorker } from '../../../connections/fleet.ts';
import { syncScheduled } from '../../../connections/sync-scheduled.ts';
import { scheduledTables } from '../../../connections/schedule-lookup.ts';
import { operating, type OperatingOptions } from '../../options/operating.ts';
import type { Session } from '../../session.ts';
import { SyncReport } from './report.ts';

/** A worker answers within a second; one that has just started, within some. */
const patienceMs = 10_000;
/** Nobody is there who would start one, as where a script runs the command. */
const giveUpMs = 10 * 60_000;

/** Has the tables of a settings file synced by their schedules and workers, waits for them and reports. */
export async function runScheduledSync(
  session: Session,
  names: readonly string[],
  options: OperatingOptions,
): Promise<void> {
  await operating(session, names, options, async (operated) => {
    const schedules = await scheduledTables(operated.client, operated.settings, operated.tables);
    const report = new SyncReport(session, options.json === true);
    report.begin(schedules.length);
    const tellGoingOn = () =>
      report.say('The runs go on without this command; incident-io-source cancel ends them.');
    session.signal.addEventListener('abort', tellGoingOn, { once: true });
    // When a worker was last heard of for each table that is not done.
    const heard = new Map<string, number>();
    const told = new Set<string>();
    const unanswered = new AbortController();
    const lookForWorkers = () => {
      const silentFor = (ms: number) =>
        [...heard].filter(([, at]) => Date.now() - at > ms).map(([table]) => table);
      const silent = silentFor(patienceMs).filter((table) => !told.has(table));
      if (silent.length > 0) report.say(`No worker answers for ${silent.join(', ')}. ${startWorker}`);
      for (const table of silent) told.add(table);
      const lost = silentFor(giveUpMs);
      if (lost.length > 0) {
        unanswered.abort(
          new TemporalUnavailableError(`No worker answers for ${lost.join(', ')}.`, startWorker),
        );
      }
    };
    const outcomes = await syncScheduled(
      operated.client,
      schedules.map(({ table, description }) => ({ table: table.name, description })),
      {
        onTriggered(table, triggered) {
          heard.set(table, Date.now());
          if (triggered !== 'started')
            report.say(`${table}: a run is going on; waits for the one that follows.`);
        },
        onProgress(progress) {
          for (const { table } of progress) if (heard.has(table)) heard.set(table, Date.now());
          lookForWorkers();
          report.progressed(progress);
        },
        onOutcome(outcome) {
          heard.delete(outcome.table);
          report.ended(outcome);
        },
        interrupt: AbortSignal.any([session.signal, unanswered.signal]),
      },
    );
    report.close(operated.settings.destination);
    if (outcomes.some(({ status }) => status !== 'synced')) session.exitCode = 1;
  });
}
