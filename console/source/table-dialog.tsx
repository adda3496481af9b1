import { useState } from 'react';
import type { OfferedTables } from '../../src/console/contract/link.ts';
import type {
  ActionRequest,
  ChangeRequest,
  SourceDetail,
  SourceTable,
} from '../../src/console/contract/sources.ts';
import { sourceHref } from '../app/route.ts';
import { useAnswer } from '../app/use-answer.ts';
import { Dialog } from '../parts/dialog.tsx';
import { WhenLoaded } from '../parts/loading.tsx';
import { ActionDialog } from './action-dialog.tsx';
import { actionWords, dangerous } from './action-words.ts';
import { ChangeReview } from './change-review.tsx';
import { TableFacts } from './table-facts.tsx';
import { TableForm } from './table-form.tsx';

type Props = { readonly detail: SourceDetail; readonly table: SourceTable; readonly close: () => void };

/** One table of a connection: how it is doing, its actions, and how it is synced. */
export function TableDialog({ detail, table, close }: Props) {
  const [action, setAction] = useState<ActionRequest['action']>();
  const [change, setChange] = useState<ChangeRequest>();
  const offered = useAnswer<'tables'>('/api/tables');
  const { id } = detail;
  const name = table.table;
  if (action) {
    return <ActionDialog id={id} request={{ action, tables: [name] }} close={close} />;
  }
  return (
    <Dialog title={name} wide close={close}>
      {change ? (
        <ChangeReview id={id} change={change} back={() => setChange(undefined)} done={close} />
      ) : (
        <>
          <TableFacts table={table} />
          <p className="links">
            <a href={sourceHref(id, 'data', name)}>Data</a>
            <a href={sourceHref(id, 'runs', name)}>Runs</a>
          </p>
          <TableActions table={table} act={setAction} />
          <h3>How it is synced</h3>
          <WhenLoaded loaded={offered} what="its settings">
            {(value) => <Form value={value} table={table} review={setChange} />}
          </WhenLoaded>
        </>
      )}
    </Dialog>
  );
}

function Form({
  value: { groups, frequencies },
  table,
  review,
}: {
  readonly value: OfferedTables;
  readonly table: SourceTable;
  readonly review: (change: ChangeRequest) => void;
}) {
  const offered = groups.flatMap(({ tables }) => tables).find((one) => one.table === table.table);
  if (!offered) return null;
  return (
    <TableForm
      offered={offered}
      frequencies={frequencies}
      before={table.settings}
      review={(settings) => review({ tables: { [table.table]: settings } })}
      remove={() => review({ remove: [table.table] })}
    />
  );
}

function TableActions({
  table: { schedule, run },
  act,
}: {
  readonly table: SourceTable;
  readonly act: (action: ActionRequest['action']) => void;
}) {
  const shown: ActionRequest['action'][] = [
    'trigger',
    schedule === 'paused' ? 'resume' : 'pause',
    ...(run ? ['cancel' as const] : []),
    'resync',
  ];
  return (
    <div className="actions start">
      {shown.map((action) => (
        <button
          key={action}
          type="button"
          className={`button ${dangerous.has(action) ? 'dangerous' : ''}`}
          onClick={() => act(action)}
        >
          {actionWords[action].verb}
        </button>
      ))}
    </div>
  );
}
