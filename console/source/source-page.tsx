import type { SourceDetail } from '../../src/console/contract/sources.ts';
import { sourceHref, type SourceView, sourceViews } from '../app/route.ts';
import { useLive } from '../app/use-live.ts';
import { DataPage } from '../data/data-page.tsx';
import { HealthPage } from '../health/health-page.tsx';
import { Broken } from '../parts/broken.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/notice.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { PicturesPage } from '../pictures/pictures-page.tsx';
import { RunsPage } from '../runs/runs-page.tsx';
import { SourceActions } from './source-actions.tsx';
import { TablesView } from './tables-view.tsx';

const viewWords: { readonly [V in SourceView]: string } = {
  tables: 'Tables',
  runs: 'Runs',
  data: 'Data',
  pictures: 'Pictures',
  health: 'Health',
};

type Props = { readonly id: string; readonly view: SourceView; readonly rest: string };

/** A connection. Its heading stays above its tables, runs, data, pictures and health. */
export function SourcePage({ id, view, rest }: Props) {
  const path = `/api/sources/${encodeURIComponent(id)}`;
  const { value, problem, broken } = useLive<'sourceLive'>(`${path}/live`, path);
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <a href="#/">Sources</a>
      </nav>
      <SourceHead id={id} detail={value} />
      <Broken broken={broken} />
      {problem && <ProblemNotice problem={problem} />}
      <nav className="views" aria-label="Pages of this source">
        {sourceViews.map((one) => (
          <a key={one} href={sourceHref(id, one)} aria-current={one === view ? 'page' : undefined}>
            {viewWords[one]}
          </a>
        ))}
      </nav>
      {value ? (
        <View id={id} view={view} rest={rest} detail={value} />
      ) : (
        !problem && <Loading what="the source" />
      )}
    </div>
  );
}

function View({ id, view, rest, detail }: Props & { readonly detail: SourceDetail }) {
  switch (view) {
    case 'tables':
      return <TablesView detail={detail} />;
    case 'runs':
      return <RunsPage id={id} table={rest} detail={detail} />;
    case 'data':
      return <DataPage id={id} table={rest} />;
    case 'pictures':
      return <PicturesPage id={id} />;
    case 'health':
      return <HealthPage id={id} />;
  }
}

function SourceHead({ id, detail }: { readonly id: string; readonly detail: SourceDetail | undefined }) {
  return (
    <div className="page-head">
      <div className="source-name">
        <h1>{detail?.connection ?? id}</h1>
        {detail && (
          <StateBadge state={detail.state} running={detail.tables.some(({ run }) => run !== undefined)} />
        )}
      </div>
      {detail && (
        <>
          <SourceActions detail={detail} />
          <p className="muted source-facts">
            {detail.account !== undefined && <span>{detail.account}</span>}
            <span className="path">{detail.destination}</span>
            <span className="path">{detail.settings}</span>
          </p>
        </>
      )}
    </div>
  );
}
