import fc from 'fast-check';
import type { ColumnType } from '../../src/tables/table.ts';
import { things } from './things.ts';

// Mostly text that the fast way accepts: one odd value sends its whole record the other way.
const space = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom('', '', ' ', '\t ') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n  ') },
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc
    .array(
      fc.constantFrom('a', '\\u0041', '\\ud83d\\ude92', '\\uD83D', '\\/', '\\"', '\\n', 'ä', '🚒', '\\u0000'),
    )
    .map((parts) => `"${parts.join('')}"`),
);
const anyNumber = fc.constantFrom(
  '0',
  '-0',
  '7',
  '-7',
  '1.5',
  '1.0',
  '-0.5',
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '1e3',
  '1E-7',
  '0.000001',
  '0.1234567890123',
  '9223372036854775807',
  '1e400',
);
const anyTime = fc.constantFrom(
  '2024-05-06T07:08:09Z',
  '2024-12-30T00:00:00.5Z',
  '0999-01-01T00:00:00.000Z',
  '2024-02-29T23:59:59.123456Z',
  '2023-02-29T00:00:00Z',
  '2024-01-31T00:00:00Z',
  '2024-04-31T00:00:00Z',
  '2024-01-01T00:00:00.123456789Z',
  '2024-01-01T00:00:00+02:00',
  'soon',
);
const anyName = fc.oneof(
  fc.constantFrom(...Object.keys(things.columns).filter((name) => name !== 'id')),
  fc.constantFrom('extra', 'Name', '__raw', '__unknown', '__proto__', '_synced_at', 'a b', '', 'ünïcode'),
);
const { value: anyValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    anyText,
    anyNumber,
    anyTime.map((time) => JSON.stringify(time)),
    fc
      .array(tie('value'), { maxLength: 3 })
      .chain((values) => space.map((gap) => `[${gap}${values.join(`,${gap}`)}]`)),
    fieldsOf(fc.oneof(fc.constantFrom('"id"', '"\\u0069d"', '"a"'), anyText), tie('value'), 3),
  ),
}));
/** Values that nearly always fit a column of the type: one that does not sends its record the other way. */
const fitting: { readonly [type in ColumnType]: fc.Arbitrary<string> } = {
  text: anyText,
  timestamp: anyTime.map((time) => JSON.stringify(time)),
  boolean: fc.constantFrom('true', 'false', 'null'),
  double: anyNumber,
  bigint: anyNumber,
  json: anyValue,
};
/** An owner whose fields may occur twice. */
const anyOwner = fieldsOf(
  fc.constantFrom('"id"', '"lead"'),
  fc.oneof(anyText, fieldsOf(fc.constant('"id"'), anyText, 2)),
  3,
).map((owner) => `"owner":${owner}`);
const anyField = fc.oneof(
  { weight: 4, arbitrary: anyOwner },
  {
    weight: 15,
    arbitrary: fc
      .constantFrom(
        ...Object.entries(things.columns).filter(([name]) => name !== 'id' && name !== 'owner_id'),
      )
      .chain(([name, { type }]) => fitting[type].map((value) => `"${name}":${value}`)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(anyName, space, anyValue)
      .map(([name, gap, value]) => `${JSON.stringify(name)}${gap}:${value}`),
  },
);
const anyRecord = fc
  .tuple(fc.constantFrom('"id":"a"', '"id" : "b"', '"id":"\\u0041"'), fc.array(anyField, { maxLength: 4 }))
  .map((parts) => `{${parts.flat().join(',')}}`);
/** The text of an answer whose records are things. */
export const anyAnswer = fc
  .tuple(fc.array(anyRecord, { maxLength: 4 }), space, space, anyValue)
  .map(
    ([records, one, two, meta]) =>
      `${one}{"first":${meta},${two}"things":${two}[${records.join(`${one},${two}`)}${one}]${two},"last":1}${one}`,
  );

/** The text of an object; names may occur twice. */
function fieldsOf(
  name: fc.Arbitrary<string>,
  value: fc.Arbitrary<string>,
  maxLength: number,
): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(name, space, space, value), { maxLength })
    .map(
      (fields) => `{${fields.map(([key, one, two, json]) => `${key}${one}:${two}${json}${one}`).join(',')}}`,
    );
}
