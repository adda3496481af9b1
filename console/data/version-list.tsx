import type { TableData } from '../../src/console/contract/data.ts';
import { counted } from '../format/numbers.ts';
import { Empty } from '../parts/loading.tsx';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import { ExactTime } from '../parts/time.tsx';

/** The versions of a table that can still be read, newest first. */
export function VersionList({
  data: { table, version, versions },
  show,
}: {
  readonly data: TableData;
  readonly show: (version: number) => void;
}) {
  if (versions.length === 0) return <Empty title="The log has no commit of a run." />;
  return (
    <ScrollingTable label={`Versions of ${table}`}>
      <thead>
        <tr>
          <th scope="col" className="number">
            Version
          </th>
          <th scope="col">Committed (UTC)</th>
          <th scope="col">Read</th>
          <th scope="col" className="number">
            New
          </th>
          <th scope="col" className="number">
            Changed
          </th>
          <th scope="col" className="number">
            Gone
          </th>
          <th scope="col" className="number">
            Rows
          </th>
          <th scope="col">Look</th>
        </tr>
      </thead>
      <tbody>
        {versions.map((one) => (
          <Row key={one.version} version={one} isShown={one.version === version} show={show} />
        ))}
      </tbody>
    </ScrollingTable>
  );
}

function Row({
  version: one,
  isShown,
  show,
}: {
  readonly version: TableData['versions'][number];
  readonly isShown: boolean;
  readonly show: (version: number) => void;
}) {
  const count = (number: number | undefined) => (number === undefined ? '–' : counted(number));
  return (
    <tr>
      <th scope="row" className="number">
        {one.version}
      </th>
      <td>
        <ExactTime at={one.at} />
      </td>
      <td className="nowrap">{readWords(one.fullRead)}</td>
      <td className="number">{count(one.inserted)}</td>
      <td className="number">{count(one.updated)}</td>
      <td className="number">{count(one.dropped)}</td>
      <td className="number">{count(one.rows)}</td>
      <td>
        {isShown ? (
          <span className="muted">shown</span>
        ) : (
          <button type="button" className="link-button nowrap" onClick={() => show(one.version)}>
            Show version {one.version}
          </button>
        )}
      </td>
    </tr>
  );
}

function readWords(fullRead: boolean | undefined): string {
  if (fullRead === undefined) return '–';
  return fullRead ? 'Everything' : 'Changes';
}
