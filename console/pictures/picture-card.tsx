import { useMemo } from 'react';
import type { DrawnPicture, Picture } from '../../src/console/contract/data.ts';
import { useAnswer } from '../app/use-answer.ts';
import { seriesOf } from '../chart/chart-data.ts';
import { Drawing } from '../chart/drawing.tsx';
import { Figures } from '../chart/figures.tsx';
import { Heatmap } from '../chart/heatmap.tsx';
import { openInSql } from '../data/sql-draft.ts';
import { Empty, WhenLoaded } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/notice.tsx';

/** One picture: the chart, how its figures are counted, the SQL, and the figures themselves. */
export function PictureCard({ id, picture }: { readonly id: string; readonly picture: Picture }) {
  const { name, title, howCounted, sql } = picture;
  const loaded = useAnswer<'picture'>(
    `/api/sources/${encodeURIComponent(id)}/pictures/${encodeURIComponent(name)}`,
  );
  return (
    <section className="panel picture" aria-label={title}>
      <h2>{title}</h2>
      <WhenLoaded loaded={loaded} what={title}>
        {(drawn) => <Drawn drawn={drawn} again={loaded.again} />}
      </WhenLoaded>
      <p className="muted how-counted">{howCounted}</p>
      <details>
        <summary>SQL</summary>
        <pre tabIndex={0} aria-label={`SQL: ${title}`}>
          {sql}
        </pre>
        <button type="button" className="button" onClick={() => openInSql(id, { sql })}>
          Open in the SQL box
        </button>
      </details>
    </section>
  );
}

function Drawn({ drawn, again }: { readonly drawn: DrawnPicture; readonly again: () => void }) {
  const { title, chart, missing, result, failure } = drawn;
  const { kind, x, y, series, value, unit } = chart;
  const isHeatmap = kind === 'heatmap';
  const data = useMemo(
    () => result && seriesOf(result, isHeatmap ? { x, y: value ?? 'value', series: y } : { x, y, series }),
    [result, isHeatmap, x, y, series, value],
  );
  if (failure) return <ProblemNotice problem={failure} again={again} />;
  if (missing.length > 0) {
    return (
      <Empty title={`It needs ${missing.join(', ')}.`}>
        <p>Sync {missing.length === 1 ? 'that table' : 'those tables'} to see it.</p>
      </Empty>
    );
  }
  if (!data || data.labels.length === 0) return <Empty title="There is nothing to show yet." />;
  if (isHeatmap) return <Heatmap label={`${title}, in ${unit}`} data={data} />;
  return (
    <>
      <Drawing label={title} kind={kind} unit={unit} data={data} />
      <details>
        <summary>Figures</summary>
        <Figures label={`Figures: ${title}`} across={x} unit={unit} data={data} />
      </details>
    </>
  );
}
