import { expect, it } from 'vitest';
import { offeredTables } from '../../../src/console/link/offered-tables.ts';
import { offeredTables as offeredSchema } from '../../../src/console/contract/link.ts';
import { endpoints } from '../../../src/console/contract.ts';
import { pictures } from '../../../src/console/pictures/pictures.ts';
import { openApiDocument } from '../../../src/console/server/openapi.ts';
import { defaultTables, tables } from '../../../src/tables/index.ts';

it('describes every path in the OpenAPI document, without dangling references', () => {
  const text = JSON.stringify(openApiDocument());
  const { paths } = JSON.parse(text) as { readonly paths: { readonly [path: string]: object } };
  for (const { path, method } of Object.values(endpoints)) expect(paths[path]).toHaveProperty(method);
  // A reference of a schema is to the schema's own root, which is not the document's.
  expect(text).not.toContain('"$ref"');
});

it('offers every table once, as the contract says', () => {
  const offered = offeredSchema.parse(offeredTables());
  const names = offered.groups.flatMap((group) => group.tables.map(({ table }) => table));
  expect(names.toSorted()).toEqual(tables.map(({ name }) => name));
});

it('draws pictures from default tables that their SQL names, as it can read no others', () => {
  const known = defaultTables.map(({ name }) => name);
  const unreadable = pictures.flatMap(({ name, sql, needs }) =>
    needs
      .filter((table) => !known.includes(table) || !new RegExp(`\\b${table}\\b`).test(sql))
      .map((table) => `${name}: ${table}`),
  );
  expect(unreadable).toEqual([]);
  expect(new Set(pictures.map(({ name }) => name)).size).toBe(pictures.length);
});
