import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import { UsageError } from '../../errors.ts';
import type { Log } from '../../serving/logs.ts';
import { type Answer, type Endpoint, type EndpointName, endpoints } from '../contract.ts';
import type { Topic } from '../live/topic.ts';
import { sendEvents } from './events.ts';
import { failed } from './problems.ts';

type Of<Name extends EndpointName> = (typeof endpoints)[Name];
type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A request, validated against the contract. */
export type Asked<Name extends EndpointName> = {
  /** The parameters in the path, such as the id of a source. */
  readonly path: { readonly [name: string]: string };
  readonly query: Of<Name> extends { readonly query: infer Schema } ? Parsed<Schema> : undefined;
  readonly body: Of<Name> extends { readonly body: infer Schema } ? Parsed<Schema> : undefined;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
};

type Given<Name extends EndpointName> =
  Of<Name> extends { readonly as: 'events' }
    ? Topic<Answer<Name> & { readonly at: string }>
    : Of<Name> extends { readonly as: 'csv' }
      ? ReadableStream
      : Answer<Name>;

/** The handler of each path. */
export type Handlers = {
  readonly [Name in EndpointName]: (asked: Asked<Name>) => Given<Name> | Promise<Given<Name>>;
};

/** Registers the contract's paths. A request that does not match the contract is refused before its handler runs. */
export function addRoutes(
  app: Hono,
  handlers: Handlers,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): void {
  for (const [name, endpoint] of Object.entries(endpoints) as [EndpointName, Endpoint][]) {
    const handler = handlers[name] as (asked: unknown) => Promise<unknown>;
    app.on(endpoint.method.toUpperCase(), endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      try {
        const asked = {
          path: c.req.param(),
          query: endpoint.query && parsed(endpoint.query, c.req.query(), 'The parameters are'),
          body: endpoint.body && parsed(endpoint.body, await jsonOf(c), 'The body is'),
          signal: AbortSignal.any([c.req.raw.signal, signal]),
        };
        const given = await handler(asked);
        return answerTo(c, endpoint, given, { log, signal });
      } catch (error) {
        return failed(c, error, log);
      }
    });
  }
}

function answerTo(
  c: Context,
  { as }: Endpoint,
  given: unknown,
  serving: { readonly log: Log; readonly signal: AbortSignal },
): Response {
  if (as === 'events') return sendEvents(c, given as Topic<{ readonly at: string }>, serving);
  if (as === 'csv') {
    return c.body(given as ReadableStream, 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': 'attachment; filename="result.csv"',
    });
  }
  return c.json(given as object);
}

async function jsonOf(c: Context): Promise<unknown> {
  // A form on another page could send any text, but never with this content type.
  if (!/^application\/json\b/.test(c.req.header('Content-Type') ?? '')) {
    throw new UsageError('The body is not JSON.', 'Send it with Content-Type: application/json.');
  }
  try {
    return await c.req.json();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError('The body is not valid JSON.', 'See /api/openapi.json for what each path takes.');
  }
}

function parsed(schema: z.ZodType, value: unknown, what: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(problemOf);
  throw new UsageError(
    `${what} not as expected: ${problems.join('; ')}`,
    'See /api/openapi.json for what each path takes.',
  );
}

/** The place and what is allowed there, but never a value, since it may be a key. */
function problemOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('.') || 'all of it';
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`;
  const names = issue.keys.filter((name) => /^[A-Za-z_]{1,40}$/.test(name));
  return `${place}: unknown ${names.length > 0 ? names.join(', ') : 'names'}`;
}
