import { useState } from 'react';
import type { Health } from '../../src/console/contract/runs.ts';
import { useAnswer } from '../app/use-answer.ts';
import type { ChartData } from '../chart/chart-data.ts';
import { Drawing } from '../chart/drawing.tsx';
import { Figures } from '../chart/figures.tsx';
import { countOf } from '../format/numbers.ts';
import { utc } from '../format/times.ts';
import { Choice } from '../parts/field.tsx';
import { Empty, WhenLoaded } from '../parts/loading.tsx';
import { TableProblems } from '../parts/table-problems.tsx';

const periods = ['1', '7', '30'];

/** How much was read and written, what share of the rate limit that took, and how far behind the tables were. */
export function HealthPage({ id }: { readonly id: string }) {
  const [days, setDays] = useState('7');
  const loaded = useAnswer<'health'>(`/api/sources/${encodeURIComponent(id)}/health?days=${days}`);
  return (
    <>
      <div className="filters">
        <Choice
          label="Period"
          value={days}
          values={periods}
          words={Object.fromEntries(periods.map((one) => [one, `Last ${countOf(Number(one), 'day')}`]))}
          choose={setDays}
        />
      </div>
      <WhenLoaded loaded={loaded} what="figures">
        {(health) => <Shown health={health} />}
      </WhenLoaded>
    </>
  );
}

function Shown({ health }: { readonly health: Health }) {
  const { days, hours, from, howCounted, unread, limitPerHour } = health;
  if (days.length === 0) return <Empty title="No run has ended in this time." />;
  const byDay = (name: string, value: (day: Health['days'][number]) => number): ChartData => ({
    labels: days.map(({ day }) => day),
    series: [{ name, values: days.map(value) }],
  });
  const share: ChartData = {
    labels: hours.map(({ hour }) => utc(hour).slice(5, 16)),
    series: [{ name: 'Share', values: hours.map(({ share }) => Math.round(share * 10_000) / 100) }],
  };
  const changes: ChartData = {
    labels: days.map(({ day }) => day),
    series: [
      { name: 'Read', values: days.map(({ rowsRead }) => rowsRead) },
      { name: 'New, changed or gone', values: days.map(({ rowsChanged }) => rowsChanged) },
    ],
  };
  const runs: ChartData = {
    labels: days.map(({ day }) => day),
    series: [
      { name: 'Succeeded', values: days.map(({ runs, failed }) => runs - failed) },
      { name: 'Failed', values: days.map(({ failed }) => failed) },
    ],
  };
  return (
    <>
      <p className="muted">
        Since {utc(from)} UTC. {howCounted}
      </p>
      <TableProblems problems={unread} kind="warn" />
      <div className="pictures">
        <HealthChart title="Rows per day" kind="bar" unit="rows" across="Day" data={changes} />
        <HealthChart
          title="Requests per day"
          kind="bar"
          unit="requests"
          across="Day"
          data={byDay('Requests', ({ requests }) => requests)}
        />
        <HealthChart
          title={`Share of the rate limit per hour (${countOf(limitPerHour, 'request')})`}
          kind="bar"
          unit="%"
          across="Hour"
          data={share}
        />
        <HealthChart title="Runs per day" kind="stacked_bar" unit="runs" across="Day" data={runs} />
        <Lag lag={health.lag} />
      </div>
    </>
  );
}

type ChartProps = {
  readonly title: string;
  readonly kind: 'bar' | 'stacked_bar' | 'line';
  readonly unit: string;
  readonly across: string;
  readonly data: ChartData;
};

function HealthChart({ title, kind, unit, across, data }: ChartProps) {
  return (
    <section className="panel picture" aria-label={title}>
      <h2>{title}</h2>
      <ChartWithFigures title={title} kind={kind} unit={unit} across={across} data={data} />
    </section>
  );
}

function ChartWithFigures({ title, kind, unit, across, data }: ChartProps) {
  if (data.labels.length === 0) return <Empty title="There is nothing to show yet." />;
  return (
    <>
      <Drawing label={title} kind={kind} unit={unit} data={data} />
      <details>
        <summary>Figures</summary>
        <Figures label={`Figures: ${title}`} across={across} unit={unit} data={data} />
      </details>
    </>
  );
}

/** The lag of one table at a time, since a chart with a hundred lines is unreadable. */
function Lag({ lag }: { readonly lag: Health['lag'] }) {
  const withPoints = lag.filter(({ points }) => points.length > 0);
  const [chosen, setChosen] = useState<string>();
  const table = withPoints.find((one) => one.table === chosen) ?? withPoints[0];
  return (
    <section className="panel picture" aria-label="Lag over time">
      <h2>Lag over time</h2>
      {table ? (
        <>
          <Choice
            label="Lag of which table"
            value={table.table}
            values={withPoints.map((one) => one.table)}
            choose={setChosen}
          />
          <ChartWithFigures
            title={`Lag of ${table.table}`}
            kind="line"
            unit="minutes"
            across="Time (UTC)"
            data={{
              labels: table.points.map(({ at }) => utc(at).slice(5, 16)),
              series: [
                {
                  name: 'Lag',
                  values: table.points.map(({ seconds }) => Math.round(seconds / 6) / 10),
                },
              ],
            }}
          />
          <p className="muted how-counted">
            How far behind the table was right before each commit. It is synced every {table.every}.
          </p>
        </>
      ) : (
        <Empty title="There is nothing to show yet." />
      )}
    </section>
  );
}
