import { useEffect, useRef, useState } from 'react';
import { figure } from '../format/numbers.ts';
import type { ChartData } from './chart-data.ts';
import { Chart, optionsFor } from './chart-js.ts';
import { colours, usePalette } from './palette.ts';
import { type Pointed, Tip } from './tip.tsx';

type Props = {
  /** Describes the chart for people who cannot see it; a table nearby has the figures. */
  readonly label: string;
  readonly kind: 'bar' | 'stacked_bar' | 'line';
  /** The unit of the figures, such as hours. */
  readonly unit: string;
  readonly data: ChartData;
};

/** A chart with its legend. */
export function Drawing({ label, kind, unit, data }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const [pointed, setPointed] = useState<Pointed>();
  useEffect(() => {
    if (!canvas.current) return undefined;
    const { series, text, line } = palette;
    const chart = new Chart(canvas.current, {
      type: kind === 'line' ? 'line' : 'bar',
      data: {
        labels: [...data.labels],
        datasets: data.series.map(({ name, values }, index) => {
          const colour = series[index % colours]!;
          return {
            label: name,
            data: [...values],
            backgroundColor: colour,
            borderColor: colour,
            borderWidth: kind === 'line' ? 2 : 0,
            pointRadius: values.length > 60 ? 0 : 2.5,
            maxBarThickness: 48,
            spanGaps: true,
          };
        }),
      },
      options: optionsFor({ kind, unit, text, line, point: setPointed }),
    });
    return () => chart.destroy();
  }, [kind, unit, data, palette]);
  return (
    <figure className="drawing">
      {data.series.length > 1 && <Legend data={data} />}
      <div className="canvas">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${label}, in ${unit}. The table has the same figures.`}
        />
        {pointed && <Tip pointed={pointed} text={(value) => `${figure(value)} ${unit}`} />}
      </div>
    </figure>
  );
}

function Legend({ data: { series } }: { readonly data: ChartData }) {
  return (
    <ul className="legend" aria-label="Legend">
      {series.map(({ name }, index) => (
        <li key={name}>
          <span className={`swatch series-${(index % colours) + 1}`} aria-hidden="true" />
          {name}
        </li>
      ))}
    </ul>
  );
}
