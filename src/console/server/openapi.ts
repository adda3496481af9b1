import { z } from 'zod';
import { packageVersion } from '../../package-version.ts';
import { type Endpoint, endpoints } from '../contract.ts';
import { problem } from '../contract/common.ts';

/** The OpenAPI document of the console's own API, made from the contract. */
export function openApiDocument(): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const [name, endpoint] of Object.entries(endpoints)) {
    (paths[endpoint.path] ??= {})[endpoint.method] = operationOf(name, endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Console of incident-io-source',
      version: packageVersion(),
      description: 'Everything that the console’s page can do. Scripts send its token as a bearer token.',
    },
    security: [{ token: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'incident_io_console_<port>' },
      },
    },
  };
}

function operationOf(name: string, endpoint: Endpoint): object {
  const { path, summary, query, body, answer, as } = endpoint;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    operationId: name,
    summary,
    parameters: [...inPath, ...(query ? parametersOf(query) : [])],
    ...(body && { requestBody: { required: true, content: contentOf('application/json', body, 'input') } }),
    responses: {
      200: { description: summary, content: contentOf(types[as ?? 'json'], answer, 'output') },
      default: {
        description: 'What is wrong, and what to do',
        content: contentOf(types.json, problem, 'output'),
      },
    },
  };
}

const types = { json: 'application/json', events: 'text/event-stream', csv: 'text/csv' };

function contentOf(type: string, schema: z.ZodType, io: 'input' | 'output'): object {
  return { [type]: { schema: jsonSchema(schema, io) } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): { readonly [key: string]: unknown } {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function parametersOf(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    readonly properties?: { readonly [name: string]: object };
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
