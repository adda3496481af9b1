import { useState } from 'react';
import type { RowsResult } from '../../src/console/contract/common.ts';
import { Drawing } from '../chart/drawing.tsx';
import { seriesOf } from '../chart/chart-data.ts';
import { Choice, Field } from '../parts/field.tsx';
import { isNumeric } from './cell-text.ts';

const kinds = { bar: 'Bars', stacked_bar: 'Stacked bars', line: 'Lines' } as const;
type Kind = keyof typeof kinds;

/** A simple chart of a result: one column on the x axis, one numeric column on the y axis. */
export function ResultChart({ result }: { readonly result: RowsResult }) {
  const numbers = result.columns.filter(({ type }) => isNumeric(type)).map(({ name }) => name);
  if (numbers.length === 0 || result.rows.length < 2) return null;
  const key = result.columns.map(({ name }) => name).join(' ');
  return (
    <details className="result-chart">
      <summary>Chart</summary>
      <Drawn key={key} result={result} numbers={numbers} />
    </details>
  );
}

function Drawn({ result, numbers }: { readonly result: RowsResult; readonly numbers: readonly string[] }) {
  const names = result.columns.map(({ name }) => name);
  const texts = names.filter((name) => !numbers.includes(name));
  const [kind, setKind] = useState<Kind>('bar');
  const [x, setX] = useState(texts[0] ?? names[0]!);
  const [y, setY] = useState(numbers.at(-1)!);
  const [series, setSeries] = useState(texts[1] ?? '');
  return (
    <>
      <div className="form-grid">
        <Field label="Kind">
          {({ id }) => (
            <Choice
              id={id}
              value={kind}
              values={Object.keys(kinds) as Kind[]}
              words={kinds}
              choose={setKind}
            />
          )}
        </Field>
        <Field label="Across">{({ id }) => <Choice id={id} value={x} values={names} choose={setX} />}</Field>
        <Field label="Up">{({ id }) => <Choice id={id} value={y} values={numbers} choose={setY} />}</Field>
        <Field label="One colour per">
          {({ id }) => (
            <Choice
              id={id}
              value={series}
              values={['', ...names]}
              words={{ '': '(nothing)' }}
              choose={setSeries}
            />
          )}
        </Field>
      </div>
      <Drawing
        label={`${y} by ${x}`}
        kind={kind}
        unit={y}
        data={seriesOf(result, { x, y, ...(series !== '' && { series }) })}
      />
    </>
  );
}
