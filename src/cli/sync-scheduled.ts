import { syncScheduled } from '../temporal/sync-scheduled.ts';
import { operating, type OperatingOptions, schedulesOf } from './operating.ts';
import type { Session } from './session.ts';
import { SyncReport } from './sync-report.ts';

/** A worker answers within a second; one that has just started, within some. */
const patienceMs = 10_000;

/** Has the tables of a settings file synced by their schedules and workers, waits for them and reports. */
export async function runScheduledSync(
  session: Session,
  names: readonly string[],
  options: OperatingOptions,
): Promise<void> {
  await operating(session, names, options, async (operated) => {
    const schedules = await schedulesOf(operated);
    const report = new SyncReport(session, options.json === true);
    report.begin(schedules.length);
    session.signal.addEventListener(
      'abort',
      () => report.say('The runs go on without this command; incident-io-source cancel ends them.'),
      { once: true },
    );
    // When a worker last answered for a run that is going on; until it was told that none does.
    const heard = new Map<string, number>();
    const outcomes = await syncScheduled(
      operated.client,
      schedules.map(({ table, description }) => ({ table: table.name, description })),
      {
        onTriggered(table, triggered) {
          if (triggered !== 'started')
            report.say(`${table}: a run is going on; waits for the one that follows.`);
        },
        onRun: (table) => void heard.set(table, Date.now()),
        onProgress(progress) {
          for (const { table } of progress) if (heard.has(table)) heard.set(table, Date.now());
          const unheard = [...heard].filter(([, at]) => Date.now() - at > patienceMs).map(([table]) => table);
          if (unheard.length > 0) {
            report.say(
              `No worker answers for ${unheard.join(', ')}: start one (incident-io-source worker, or up), or wait for it.`,
            );
          }
          for (const table of unheard) heard.delete(table);
          report.progressed(progress);
        },
        onOutcome(outcome) {
          heard.delete(outcome.table);
          report.ended(outcome);
        },
        interrupt: session.signal,
      },
    );
    report.close(operated.settings.destination);
    if (outcomes.some(({ status }) => status !== 'synced')) session.exitCode = 1;
  });
}
