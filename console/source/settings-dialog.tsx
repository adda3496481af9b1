import { useState } from 'react';
import type { OfferedTables } from '../../src/console/contract/link.ts';
import type { ChangeRequest, SourceDetail } from '../../src/console/contract/sources.ts';
import { useAnswer } from '../app/use-answer.ts';
import { added, type Chosen, without } from '../link/choose.ts';
import { Choice, Field } from '../parts/field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { WhenLoaded } from '../parts/loading.tsx';
import { ChangeReview } from './change-review.tsx';

type Props = { readonly detail: SourceDetail; readonly close: () => void };

/** Changes which tables a connection syncs, and how long older versions stay. */
export function SettingsDialog({ detail, close }: Props) {
  const [change, setChange] = useState<ChangeRequest>();
  const offered = useAnswer<'tables'>('/api/tables');
  return (
    <Dialog title="Change tables" wide close={close}>
      {change && (
        <ChangeReview id={detail.id} change={change} back={() => setChange(undefined)} done={close} />
      )}
      {/* Hidden rather than removed, so that the ticks are still there after going back. */}
      <div hidden={change !== undefined}>
        <WhenLoaded loaded={offered} what="tables">
          {(value) => <Form detail={detail} value={value} review={setChange} />}
        </WhenLoaded>
      </div>
    </Dialog>
  );
}

function Form({
  detail,
  value: { groups, retentions },
  review,
}: {
  readonly detail: SourceDetail;
  readonly value: OfferedTables;
  readonly review: (change: ChangeRequest) => void;
}) {
  const before: Chosen = Object.fromEntries(detail.tables.map(({ table, settings }) => [table, settings]));
  const [chosen, setChosen] = useState(before);
  const [retention, setRetention] = useState(detail.retention);
  const change = changeBetween(before, chosen, detail.retention, retention);
  return (
    <>
      <p>Tick the tables to sync. To change how one is synced, click its name on the page of the source.</p>
      <Ticks groups={groups} chosen={chosen} setChosen={setChosen} />
      <Field label="Retention" hint="How long replaced rows and older versions of the tables stay.">
        {({ id }) => (
          <Choice
            id={id}
            value={retention}
            values={retentions as (typeof retention)[]}
            choose={setRetention}
          />
        )}
      </Field>
      <div className="actions">
        <button
          type="button"
          className="button primary"
          disabled={!change || Object.keys(chosen).length === 0}
          onClick={() => change && review(change)}
        >
          Show the difference
        </button>
      </div>
    </>
  );
}

function Ticks({
  groups,
  chosen,
  setChosen,
}: {
  readonly groups: OfferedTables['groups'];
  readonly chosen: Chosen;
  readonly setChosen: (chosen: Chosen) => void;
}) {
  return groups.map(({ group, tables }) => (
    <fieldset key={group} className="tick-group">
      <legend>{group}</legend>
      {tables.map((table) => (
        <label key={table.table} className="check">
          <input
            type="checkbox"
            checked={chosen[table.table] !== undefined}
            onChange={(event) =>
              setChosen(
                event.target.checked
                  ? added(chosen, groups, [table.table])
                  : without(chosen, groups, [table.table]),
              )
            }
          />
          <span>
            {table.table} <span className="table-description">{table.description}</span>
          </span>
        </label>
      ))}
    </fieldset>
  ));
}

/** `undefined` if nothing differs. */
function changeBetween(
  before: Chosen,
  chosen: Chosen,
  retentionBefore: SourceDetail['retention'],
  retention: SourceDetail['retention'],
): ChangeRequest | undefined {
  const more = Object.fromEntries(Object.entries(chosen).filter(([table]) => !before[table]));
  const remove = Object.keys(before).filter((table) => !chosen[table]);
  const change: ChangeRequest = {
    ...(Object.keys(more).length > 0 && { tables: more }),
    ...(remove.length > 0 && { remove }),
    ...(retention !== retentionBefore && { retention }),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}
