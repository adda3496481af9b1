import { z } from 'zod';
import { UsageError } from '../errors.ts';

/** A schema of the document, as far as it is read here. */
export type Schema = {
  readonly $ref?: string | undefined;
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly maximum?: number | undefined;
  readonly items?: Schema | undefined;
  readonly properties?: { readonly [name: string]: Schema } | undefined;
  readonly required?: readonly string[] | undefined;
};

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.string().optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    maximum: z.number().optional(),
    items: schema.optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
  }),
);

const content = z.object({
  content: z.object({ 'application/json': z.object({ schema }).optional() }).optional(),
});

const operation = z.object({
  deprecated: z.boolean().optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        schema: schema.optional(),
      }),
    )
    .optional(),
  responses: z.object({ 200: content.optional() }),
  'x-rbac-scopes': z.array(z.string()).optional(),
});

const apiDocument = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.object({ get: operation.optional() })),
  components: z.object({ schemas: z.record(z.string(), schema) }),
});

/**
 * The vendor's OpenAPI document, as far as it is read here. Other facts about a field or a parameter, such as its
 * description, are left out.
 */
export type ApiDocument = z.infer<typeof apiDocument>;
export type Operation = z.infer<typeof operation>;

/**
 * Reads an OpenAPI document.
 * @param from where the text is from, for the error
 *
 * Throws `UsageError` for any other text.
 */
export function parseDocument(text: string, from: string): ApiDocument {
  const advice = 'Give the OpenAPI document of incident.io, such as GET /v1/openapiV3.json answers it.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${from} is not JSON.`, advice);
  }
  const parsed = apiDocument.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `${from} is not an OpenAPI document: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}.`,
    advice,
  );
}

/** The schema that a reference points to; a schema that is not a reference is returned unchanged. */
export function resolved({ components }: ApiDocument, from: Schema): Schema {
  let found = from;
  while (found.$ref !== undefined) {
    const name = found.$ref.slice(found.$ref.lastIndexOf('/') + 1);
    const next = components.schemas[name];
    if (next === undefined)
      throw new UsageError(
        `The document refers to ${found.$ref}, which it does not contain.`,
        'Give a complete document.',
      );
    found = next;
  }
  return found;
}

/** The schema of what GET of a path answers; `undefined` if that is not JSON. */
export function answerOf(document: ApiDocument, { responses }: Operation): Schema | undefined {
  const answer = responses[200]?.content?.['application/json']?.schema;
  return answer && resolved(document, answer);
}

/** The schema below nested objects and lists; `undefined` where the path ends early. */
export function schemaAt(document: ApiDocument, from: Schema, path: readonly string[]): Schema | undefined {
  let found: Schema | undefined = from;
  for (const name of path) {
    found = found?.properties?.[name];
    if (found) found = resolved(document, found);
    if (found?.items) found = resolved(document, found.items);
  }
  return found;
}

/** The name of the only list of objects in an answer; `undefined` if there are none or several. */
export function recordsOf(document: ApiDocument, answer: Schema): string | undefined {
  const lists = Object.entries(answer.properties ?? {}).filter(([, property]) => {
    const { items } = resolved(document, property);
    return items !== undefined && resolved(document, items).properties !== undefined;
  });
  return lists.length === 1 ? lists[0]![0] : undefined;
}
