import type { RowsResult } from '../../src/console/contract/common.ts';
import { Empty } from '../parts/loading.tsx';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import { isNumeric } from './cell-text.ts';
import { Cell } from './cell.tsx';

/** Rows as SQL returned them. */
export function ResultTable({ label, result }: { readonly label: string; readonly result: RowsResult }) {
  const { columns, rows } = result;
  if (rows.length === 0) return <Empty title="No rows." />;
  return (
    <ScrollingTable label={label} className="result">
      <thead>
        <tr>
          {columns.map(({ name, type }, index) => (
            <th key={index} scope="col" className={isNumeric(type) ? 'number' : ''} title={type}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((value, column) => (
              <Cell key={column} value={value} type={columns[column]!.type} />
            ))}
          </tr>
        ))}
      </tbody>
    </ScrollingTable>
  );
}
