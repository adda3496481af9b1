import { useState } from 'react';
import type { SourceDetail, SourceTable } from '../../src/console/contract/sources.ts';
import { Notice } from '../parts/notice.tsx';
import { ImportPanel } from './import-panel.tsx';
import { SourceTables } from './source-tables.tsx';
import { TableDialog } from './table-dialog.tsx';

/** The tables of a connection: what is wrong first, then what runs, then all of them. */
export function TablesView({ detail }: { readonly detail: SourceDetail }) {
  const [opened, setOpened] = useState<string>();
  const table = detail.tables.find((one) => one.table === opened);
  return (
    <>
      <Problems tables={detail.tables} />
      <ImportPanel detail={detail} />
      <SourceTables tables={detail.tables} open={setOpened} />
      {table && <TableDialog detail={detail} table={table} close={() => setOpened(undefined)} />}
    </>
  );
}

type Said = {
  readonly kind: 'bad' | 'warn';
  readonly tables: string[];
  readonly message: string;
  readonly advice: string | undefined;
};

/** Tables that need attention; those with the same problem share a notice. */
function Problems({ tables }: { readonly tables: readonly SourceTable[] }) {
  const said = new Map<string, Said>();
  for (const { table, state, message, advice } of tables) {
    if (message === undefined || (state !== 'failing' && state !== 'late' && state !== 'unreadable'))
      continue;
    const key = `${message}\n${advice}`;
    said.set(key, {
      kind: state === 'late' ? 'warn' : 'bad',
      message,
      advice,
      tables: [...(said.get(key)?.tables ?? []), table],
    });
  }
  return [...said.values()].map(({ kind, tables: names, message, advice }) => (
    <Notice key={names[0]} kind={kind} title={`${names.join(', ')}: ${message}`}>
      {advice !== undefined && <p>{advice}</p>}
    </Notice>
  ));
}
