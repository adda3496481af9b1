import type { PastRunJson } from '../../src/console/contract/runs.ts';
import { bytes, counted } from '../format/numbers.ts';
import { span } from '../format/times.ts';
import { ExactTime } from '../parts/time.tsx';

const outcomes: { readonly [O in PastRunJson['outcome']]: readonly [word: string, kind: string] } = {
  running: ['Running', 'info'],
  synced: ['Synced', 'good'],
  not_available: ['Not available', 'quiet'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', 'quiet'],
  terminated: ['Terminated', 'bad'],
  timed_out: ['Timed out', 'bad'],
  unknown: ['Ended', 'quiet'],
};

/** One run, with what went wrong and what to do. */
export function RunRow({ run }: { readonly run: PastRunJson }) {
  const { table, outcome, started, seconds, inserted, updated, dropped, read } = run;
  const [word, kind] = outcomes[outcome];
  return (
    <tr>
      <th scope="row">{table}</th>
      <td>
        <span className={`badge ${kind}`}>{word}</span>
      </td>
      <td>{started === undefined ? '–' : <ExactTime at={started} />}</td>
      <td className="number nowrap">{seconds === undefined ? '–' : span(seconds)}</td>
      <Count of={inserted} />
      <Count of={updated} />
      <Count of={dropped} />
      <Count of={read?.requests} />
      <td className="number nowrap">{read === undefined ? '–' : bytes(read.bytes)}</td>
      <td className="run-words">
        <RunWords run={run} />
      </td>
    </tr>
  );
}

function Count({ of }: { readonly of: number | undefined }) {
  return <td className="number">{of === undefined ? '–' : counted(of)}</td>;
}

function RunWords({ run }: { readonly run: PastRunJson }) {
  const { fullRead, reason, notes, failure, queuedSeconds = 0, temporalUrl } = run;
  return (
    <>
      {failure && (
        <p>
          <strong>{failure.message}</strong> {failure.advice}
        </p>
      )}
      {reason !== undefined && (
        <p>
          {fullRead && 'Everything: '}
          {reason}
        </p>
      )}
      {queuedSeconds >= 10 && <p>Waited {span(queuedSeconds)} for a worker.</p>}
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {temporalUrl !== undefined && (
        <p>
          <a href={temporalUrl} target="_blank" rel="noreferrer">
            In Temporal
          </a>
        </p>
      )}
    </>
  );
}
