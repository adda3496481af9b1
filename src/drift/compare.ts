import { defined } from '../defined.ts';
import type { ColumnType, Table } from '../tables/table.ts';
import {
  answerOf,
  type ApiDocument,
  type Operation,
  recordsOf,
  resolved,
  type Schema,
  schemaAt,
} from './document.ts';

/** How the API's document differs from what the tables are made from. */
export type Difference = {
  readonly change: 'came' | 'changed' | 'went';
  readonly what: 'list' | 'scope' | 'column' | 'parameter';
  readonly path: string;
  /** The table that reads the list; a list that came has none yet. */
  readonly table?: string;
  /** The name of the column or parameter. */
  readonly name?: string;
  readonly detail: string;
  /** A table needs what is gone or different: without a change of its declaration, its runs fail or lose values. */
  readonly breaks: boolean;
};

/** Every column that a declared table lacks, and everything that a declaration names and the document does not have. */
export function compareTable(document: ApiDocument, table: Table): Difference[] {
  const { name, path } = table;
  const at = { path, table: name };
  const operation = document.paths[path]?.get;
  if (operation === undefined) {
    return [{ ...at, change: 'went', what: 'list', detail: 'the document has no such list', breaks: true }];
  }
  const answer = answerOf(document, operation);
  const list = table.lists ? [table.records, table.lists.names[0]!] : [table.records];
  const item = answer && schemaAt(document, answer, list);
  if (item?.properties === undefined) {
    const detail = `the answer has no list ${list.join('.')}`;
    return [{ ...at, change: 'went', what: 'list', detail, breaks: true }];
  }
  return [
    ...columnsThatDiffer(document, table, answer!, item),
    ...parametersThatDiffer(document, table, operation),
    ...scopeThatDiffers(table, operation),
  ];
}

function columnsThatDiffer(document: ApiDocument, table: Table, answer: Schema, item: Schema): Difference[] {
  const at = { path: table.path, table: table.name, what: 'column' } as const;
  const { passes, lists, parent, fromAnswer = {} } = table;
  const added = [passes?.column, lists?.column, ...Object.keys(parent?.columns ?? {})];
  const own = Object.entries(table.columns).filter(([column]) => !added.includes(column));
  const declared = own.flatMap(([column, { from = [column], type }]): Difference[] => {
    const [whole, path] = fromAnswer[column] ? [answer, fromAnswer[column]] : [item, from];
    if (schemaAt(document, whole, path) === undefined) {
      return [{ ...at, change: 'went', name: column, detail: `no field ${path.join('.')}`, breaks: true }];
    }
    const documented = typeOf(document, whole, path);
    if (documented === type) return [];
    return [{ ...at, change: 'changed', name: column, detail: `${type} is now ${documented}`, breaks: true }];
  });
  const isKnown = (field: string) => field in table.columns || table.secrets?.includes(field);
  const came = Object.keys(item.properties ?? {}).filter((field) => !isKnown(field));
  return [
    ...declared,
    ...came.map((field): Difference => {
      const type = typeOf(document, item, [field]);
      return { ...at, change: 'came', name: field, detail: `${type}, not declared`, breaks: false };
    }),
  ];
}

/** The type of the column that a field of this schema becomes. */
export function typeOf(document: ApiDocument, item: Schema, path: readonly string[]): ColumnType {
  const parent = schemaAt(document, item, path.slice(0, -1));
  const property = parent?.properties?.[path.at(-1)!];
  const { type, format } = property ? resolved(document, property) : {};
  if (type === 'string') return format === 'date-time' ? 'timestamp' : 'text';
  return (type !== undefined && typesOf[type]) || 'json';
}

const typesOf: { readonly [type: string]: ColumnType } = {
  integer: 'bigint',
  number: 'double',
  boolean: 'boolean',
};

function parametersThatDiffer(document: ApiDocument, table: Table, operation: Operation): Difference[] {
  const at = { path: table.path, table: table.name, what: 'parameter' } as const;
  const documented = new Map((operation.parameters ?? []).map((parameter) => [parameter.name, parameter]));
  const gone = sentParameters(table)
    .filter((name) => !documented.has(name))
    .map((name): Difference => ({
      ...at,
      change: 'went',
      name,
      detail: 'every request of the table sends it',
      breaks: true,
    }));
  return [
    ...gone,
    ...pageSizeThatDiffers(table, documented.get('page_size')?.schema, at),
    ...valuesThatCame(),
  ];

  /** A pass or a revealing parameter that lacks a value hides the rows that have it. */
  function valuesThatCame(): Difference[] {
    const { passes, reveals = [] } = table;
    const sent = [...(passes ? [passes] : []), ...reveals];
    return sent.flatMap(({ param, values }): Difference[] => {
      const found = documented.get(baseOf(param))?.schema;
      const allowed = found && (resolved(document, found).enum ?? found.items?.enum);
      const missing = (allowed ?? []).filter((value) => !values.includes(String(value)));
      if (missing.length === 0) return [];
      const detail = `rows with ${missing.join(', ')} are not requested`;
      return [{ ...at, change: 'came', name: param, detail, breaks: true }];
    });
  }
}

function pageSizeThatDiffers(
  { paging }: Table,
  documented: Schema | undefined,
  at: { readonly path: string; readonly table: string; readonly what: 'parameter' },
): Difference[] {
  const declared = paging.kind === 'pages' ? paging.pageSize : undefined;
  const most = documented?.maximum;
  if (declared === undefined) {
    if (documented === undefined) return [];
    const detail = 'the list has pages now; the table reads one answer';
    return [{ ...at, change: 'came', name: 'page_size', detail, breaks: true }];
  }
  if (documented === undefined || most === undefined || most >= declared) return [];
  const detail = `at most ${most}, the table asks for ${declared}`;
  return [{ ...at, change: 'changed', name: 'page_size', detail, breaks: true }];
}

/** The names of the parameters that requests of a table send, without their operators. */
function sentParameters(table: Table): string[] {
  const { query = {}, reveals = [], passes, filters = {}, paging, parent, timeWindow } = table;
  const names = [
    ...(parent?.params ?? []).flatMap(({ name, in: where }) => (where === 'query' ? [name] : [])),
    ...(timeWindow ? [timeWindow.from, timeWindow.to] : []),
    ...Object.keys(query),
    ...reveals.map(({ param }) => param),
    ...(passes ? [passes.param] : []),
    ...Object.entries(filters).flatMap(([field, { verified }]) => (verified ? [field] : [])),
    ...(paging.kind === 'pages' ? ['page_size', 'after'] : []),
  ];
  return [...new Set(names.map(baseOf))];
}

/** `status[one_of]` is documented as `status`. */
function baseOf(param: string): string {
  return param.replace(/\[.*$/, '');
}

function scopeThatDiffers({ name, path, scope }: Table, operation: Operation): Difference[] {
  const documented = operation['x-rbac-scopes'] ?? [];
  if (scope === undefined ? documented.length === 0 : documented.includes(scope)) return [];
  const detail = `${scope ?? 'none'} is now ${documented.join(' or ') || 'none'}`;
  return [{ path, table: name, change: 'changed', what: 'scope', detail, breaks: true }];
}

/**
 * Lists and parameters that came or went since an older document, and lists that are now deprecated: what the
 * declarations cannot tell, because they do not name them.
 */
export function compareDocuments(
  known: ApiDocument,
  document: ApiDocument,
  tables: readonly Table[],
): Difference[] {
  const tableAt = new Map<string, string>(tables.map(({ path, name }) => [path, name]));
  return Object.entries(document.paths).flatMap(([path, { get: operation }]): Difference[] => {
    const answer = operation && answerOf(document, operation);
    if (!operation || !answer || recordsOf(document, answer) === undefined) return [];
    const at = { path, ...defined({ table: tableAt.get(path) }) };
    const before = known.paths[path]?.get;
    if (before === undefined) {
      return [{ ...at, change: 'came', what: 'list', detail: 'no table reads it', breaks: false }];
    }
    const deprecated = operation.deprecated === true && before.deprecated !== true;
    return [
      ...(deprecated
        ? [{ ...at, change: 'changed', what: 'list', detail: 'is deprecated now', breaks: false } as const]
        : []),
      ...parametersThatCameOrWent(before, operation).map((difference) => ({ ...at, ...difference })),
    ];
  });
}

function parametersThatCameOrWent(before: Operation, now: Operation): Omit<Difference, 'path' | 'table'>[] {
  const [old = [], own = []] = [before.parameters, now.parameters];
  const isAmong = (parameters: typeof old, name: string) =>
    parameters.some((parameter) => parameter.name === name);
  const came = own.filter(({ name }) => !isAmong(old, name));
  const went = old.filter(({ name }) => !isAmong(own, name));
  return [
    ...came.map(({ name, required = false }) => {
      const detail = required ? 'is required' : 'may be of use';
      return { change: 'came', what: 'parameter', name, detail, breaks: required } as const;
    }),
    ...went.map(
      ({ name }) => ({ change: 'went', what: 'parameter', name, detail: 'is gone', breaks: false }) as const,
    ),
  ];
}
