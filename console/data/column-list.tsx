import type { TableData } from '../../src/console/contract/data.ts';
import { ScrollingTable } from '../parts/scrolling-table.tsx';

/** What each column holds, and whether that is personal. */
export function ColumnList({
  table,
  columns,
}: {
  readonly table: string;
  readonly columns: TableData['columns'];
}) {
  return (
    <ScrollingTable label={`Columns of ${table}`}>
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Type</th>
          <th scope="col">What it holds</th>
        </tr>
      </thead>
      <tbody>
        {columns.map(({ name, type, description, personal, key }) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code> {key && <span className="badge quiet">Key</span>}{' '}
              {personal && <span className="badge warn">Personal</span>}
            </th>
            <td className="nowrap">{type}</td>
            <td className="long">{description}</td>
          </tr>
        ))}
      </tbody>
    </ScrollingTable>
  );
}
