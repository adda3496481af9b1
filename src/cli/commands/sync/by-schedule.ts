import { scheduledTables } from '../../../connections/schedule/schedule-lookup.ts';
import { lostMs, SilentWorkers } from '../../../connections/runs/silent-workers.ts';
import { syncBySchedule } from '../../../connections/runs/sync-by-schedule.ts';
import { startWorker } from '../../../connections/status/table-health.ts';
import { TemporalUnavailableError } from '../../../errors.ts';
import { type Operated, operating, type OperatingOptions } from '../../options/operating.ts';
import type { Session } from '../../session.ts';
import { SyncReport } from './report.ts';

/** Triggers the schedules of a settings file's tables, waits for the runs and reports them. */
export async function runSyncBySchedule(
  session: Session,
  names: readonly string[],
  options: OperatingOptions,
): Promise<void> {
  const { signal } = session;
  const sync = async ({ client, settings, tables }: Operated) => {
    const schedules = await scheduledTables(client, settings, tables);
    const report = new SyncReport(session, options.json === true);
    report.begin(schedules.length);
    const sayContinuing = () =>
      report.say('The runs continue without this command; incident-io-source cancel ends them.');
    signal.addEventListener('abort', sayContinuing, { once: true });
    const workers = new SilentWorkers();
    const lost = new AbortController();
    const outcomes = await syncBySchedule(
      client,
      schedules.map(({ table, description }) => ({ table: table.name, description })),
      {
        onTriggered(table, triggered) {
          workers.waitFor(table, Date.now());
          if (triggered !== 'started') {
            report.say(`${table}: a run is in progress; waiting for the next one.`);
          }
        },
        onProgress(progress) {
          for (const { table } of progress) workers.heard(table, Date.now());
          reportSilence(workers, report, lost);
          report.progressed(progress);
        },
        onOutcome(outcome) {
          workers.done(outcome.table);
          report.ended(outcome);
        },
        interrupt: AbortSignal.any([signal, lost.signal]),
      },
    );
    signal.removeEventListener('abort', sayContinuing);
    report.close(settings.destination);
    if (outcomes.some(({ status }) => status !== 'synced')) session.exitCode = 1;
  };
  await operating(session, names, options, sync, lostMs);
}

/** Reports tables that no worker responds for, and gives up if that lasts too long. */
function reportSilence(workers: SilentWorkers, report: SyncReport, giveUp: AbortController): void {
  const { silent, lost } = workers.look(Date.now());
  const noWorker = (tables: readonly string[]) => `No worker responds for ${tables.join(', ')}.`;
  if (silent.length > 0) report.say(`${noWorker(silent)} ${startWorker}`);
  if (lost.length > 0) giveUp.abort(new TemporalUnavailableError(noWorker(lost), startWorker));
}
