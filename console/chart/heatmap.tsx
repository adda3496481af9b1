import { figure } from '../format/numbers.ts';
import { ScrollingTable } from '../parts/scrolling-table.tsx';
import type { ChartData } from './chart-data.ts';

/** The number of shades, from none to the strongest. */
const shades = 5;

/** Figures in a grid, larger ones in a stronger shade. It is a table, so that it can be read as well as looked at. */
export function Heatmap({ label, data }: { readonly label: string; readonly data: ChartData }) {
  const most = Math.max(0, ...data.series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const shade = (value: number | null) =>
    value === null || value === 0 || most === 0 ? 0 : Math.max(1, Math.ceil((value / most) * shades));
  return (
    <ScrollingTable label={label} className="heatmap fixed-first">
      <thead>
        <tr>
          <td />
          {data.labels.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {data.series.map(({ name, values }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {values.map((value, index) => (
              <td key={data.labels[index]} className={`heat-${shade(value)}`}>
                {value === null || value === 0 ? '' : figure(value)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </ScrollingTable>
  );
}
