import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartOptions,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  type Scale,
  Tooltip,
} from 'chart.js';
import { figure } from '../format/numbers.ts';
import type { Pointed } from './tip.tsx';

// Only these, so that the rest of the library is not part of the page.
Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);
export { Chart };

export function optionsFor({
  kind,
  unit,
  text,
  line,
  point,
}: {
  readonly kind: 'bar' | 'stacked_bar' | 'line';
  readonly unit: string;
  readonly text: string;
  readonly line: string;
  readonly point: (pointed: Pointed | undefined) => void;
}): ChartOptions<'bar' | 'line'> {
  const stacked = kind === 'stacked_bar';
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: 'index', intersect: false },
    scales: {
      x: {
        stacked,
        grid: { display: false },
        border: { color: line },
        ticks: { color: text, font, maxRotation: 60, autoSkipPadding: 8, callback: shortLabel },
      },
      y: {
        stacked,
        beginAtZero: true,
        grid: { color: line },
        border: { display: false },
        title: { display: true, text: unit, color: text, font },
        ticks: { color: text, font, callback: (value) => figure(Number(value)) },
      },
    },
    plugins: {
      tooltip: {
        enabled: false,
        // Drawn as an element rather than on the canvas, so that it has the page's style.
        external: ({ tooltip }) => {
          if (tooltip.opacity === 0) return point(undefined);
          const lines = tooltip.dataPoints.flatMap(({ dataset, raw }) =>
            typeof raw === 'number' ? [{ name: dataset.label ?? '', value: raw }] : [],
          );
          point({ x: tooltip.caretX, y: tooltip.caretY, title: tooltip.title.join(' '), lines });
        },
      },
    },
  };
}

/** A long name would leave no room for the bars; the tooltip and the table of figures show it in full. */
function shortLabel(this: Scale, _value: unknown, index: number): string {
  const label = this.getLabelForValue(index);
  return label.length > 22 ? `${label.slice(0, 20)}…` : label;
}
