/** The page to pick what to link. */
export function NewSourcePage() {
  return (
    <div className="page narrow">
      <nav className="crumbs" aria-label="Breadcrumb">
        <a href="#/">Sources</a>
      </nav>
      <h1>New source</h1>
      <p className="lead">Pick where your data is. It is copied into your own tables and kept current.</p>
      <ul className="kinds">
        <li className="kind">
          <div>
            <h2>incident.io</h2>
            <p className="muted">
              Incidents, alerts, escalations, on-call schedules, follow-ups, catalog and more. You need an API
              key.
            </p>
          </div>
          <a className="button primary" href="#/new/incident-io">
            Link<span className="for-readers"> incident.io</span>
          </a>
        </li>
      </ul>
    </div>
  );
}
