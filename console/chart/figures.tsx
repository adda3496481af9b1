import { figure } from '../format/numbers.ts';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import type { ChartData } from './chart-data.ts';

/** The figures of a chart as a table, for people who would rather read than look. */
export function Figures({
  label,
  across,
  unit,
  data,
}: {
  readonly label: string;
  /** What the x axis shows, such as month. */
  readonly across: string;
  readonly unit: string;
  readonly data: ChartData;
}) {
  return (
    <ScrollingTable label={label} className="fixed-first">
      <thead>
        <tr>
          <th scope="col">{across}</th>
          {data.series.map(({ name }) => (
            <th key={name} scope="col" className="number">
              {data.series.length === 1 ? unit : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {data.labels.map((label, index) => (
          <tr key={label}>
            <th scope="row" className="nowrap">
              {label}
            </th>
            {data.series.map(({ name, values }) => {
              const value = values[index] ?? null;
              return (
                <td key={name} className="number">
                  {value === null ? '–' : figure(value)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </ScrollingTable>
  );
}
