import { describe, expect, it } from 'vitest';
import { compareDocuments, compareTable } from '../../../src/drift/compare.ts';
import { type ApiDocument, parseDocument } from '../../../src/drift/document.ts';
import { knownApi } from '../../../src/drift/known-api.ts';
import { UsageError } from '../../../src/errors.ts';
import { tableNamed, tables } from '../../../src/tables/index.ts';

const known = knownApi();

/** What the document of 2026-10-26 lacks, but the vendor's client of 2026-11-02 has. */
const undocumented = [
  'alert_attachments',
  'catalog_entries.custom_aliases',
  'catalog_types.supports_custom_aliases',
];

it('finds every declaration in the document: path, list, columns and their types, parameters, scope', () => {
  const differences = tables.flatMap((table) => compareTable(known, table));
  expect(differences.map(({ table, name }) => [table, ...(name ? [name] : [])].join('.'))).toEqual(
    undocumented,
  );
});

describe('a document that moved on', () => {
  /** The known document after a change of its JSON. */
  function changed(change: (json: string) => string): ApiDocument {
    const before = JSON.stringify(known);
    const after = change(before);
    expect(after, 'the change changes nothing').not.toBe(before);
    return parseDocument(after, 'the test');
  }
  const alerts = tableNamed('alerts');
  const differencesOf = (document: ApiDocument) => [
    ...compareTable(document, alerts),
    ...compareDocuments(known, document, tables),
  ];
  const alertSchema = (json: string, from: string, to: string) => {
    const at = json.indexOf('"AlertV2":');
    return json.slice(0, at) + json.slice(at).replace(from, to);
  };

  it('has nothing to report while it is the same', () => {
    expect(differencesOf(known)).toEqual([]);
  });

  it.each([
    ['a list', '"/v2/alerts":', '"/v9/alerts":', { change: 'went', what: 'list', path: '/v2/alerts' }],
    ['a list', '"/v2/alerts":', '"/v9/alerts":', { change: 'came', what: 'list', path: '/v9/alerts' }],
    ['a parameter', '"name":"updated_at"', '"name":"moved_at"', { change: 'went', name: 'updated_at' }],
    ['a parameter', '"name":"updated_at"', '"name":"moved_at"', { change: 'came', name: 'moved_at' }],
    ['the page size', '"maximum":50', '"maximum":20', { change: 'changed', name: 'page_size' }],
    ['the scope', '"alerts.view"', '"alerts.read"', { change: 'changed', what: 'scope' }],
    ['deprecation', '"get":{', '"get":{"deprecated":true,', { change: 'changed', what: 'list' }],
  ])('reports %s (%s → %s)', (_, from, to, expected) => {
    const document = changed((json) => {
      const at = json.indexOf('"/v2/alerts":');
      return json.slice(0, at) + json.slice(at).replace(from, to);
    });
    expect(differencesOf(document)).toContainEqual(expect.objectContaining(expected));
  });

  it.each([
    ['went', '"title":', '"headline":', { change: 'went', name: 'title', breaks: true }],
    ['came', '"title":', '"headline":', { change: 'came', name: 'headline', breaks: false }],
    ['changed its type', '"title":{"type":"string"}', '"title":{"type":"integer"}', { change: 'changed' }],
  ])('reports a column that %s', (_, from, to, expected) => {
    const document = changed((json) => alertSchema(json, from, to));
    expect(differencesOf(document)).toContainEqual(expect.objectContaining({ what: 'column', ...expected }));
  });

  it('reports rows that would be hidden, because a pass lacks a value', () => {
    const document = changed((json) => {
      const at = json.indexOf('"/v3/follow_ups":');
      return json.slice(0, at) + json.slice(at).replace('"tutorial"', '"tutorial","rehearsal"');
    });
    const [found] = compareTable(document, tableNamed('follow_ups'));
    expect(found).toMatchObject({ change: 'came', what: 'parameter', breaks: true });
    expect(found?.detail).toContain('rehearsal');
  });
});

it.each([['{'], ['{"openapi":"3.0.3"}'], ['[]']])('refuses %s: it is not a document', (text) => {
  expect(() => parseDocument(text, 'x.json')).toThrow(UsageError);
});
