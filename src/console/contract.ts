/**
 * The console's HTTP API: every path with its input and its answer. The routes, the OpenAPI document and the types of
 * the page are made from this. All paths need the cookie or the bearer token of the console.
 */
import { z } from 'zod';
import {
  aboutAnswer,
  dataTables,
  drawnPicture,
  pictureList,
  sqlAnswer,
  sqlRequest,
  tableData,
  tableQuery,
} from './contract/data.ts';
import {
  checkedKey,
  destinationAnswer,
  destinationRequest,
  estimateAnswer,
  estimateRequest,
  keyRequest,
  linked,
  linkOrder,
  linkPlan,
  linkRequest,
  offeredTables,
} from './contract/link.ts';
import { healthAnswer, healthQuery, runsAnswer, runsQuery } from './contract/runs.ts';
import {
  actionOutcome,
  actionPreview,
  actionRequest,
  changeDone,
  changeOrder,
  changeRequest,
  plannedChange,
  sourceDetail,
  sourcesAnswer,
} from './contract/sources.ts';

/** One path of the API. */
export type Endpoint = {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for each parameter. */
  readonly path: `/api/${string}`;
  readonly summary: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** Set if the answer is not JSON: a stream of events, whose data is the answer as JSON, or CSV. */
  readonly as?: 'events' | 'csv';
};

function defineEndpoints<const T extends { readonly [name: string]: Endpoint }>(endpoints: T): T {
  return endpoints;
}

const nothing = z.object({});

export const endpoints = defineEndpoints({
  about: { method: 'get', path: '/api/about', summary: 'This console', answer: aboutAnswer },

  sources: {
    method: 'get',
    path: '/api/sources',
    summary: 'All connections, worst first',
    answer: sourcesAnswer,
  },
  sourcesLive: {
    method: 'get',
    path: '/api/live',
    summary: 'The same as a stream: one event `state` at once, and one per change',
    answer: sourcesAnswer,
    as: 'events',
  },

  tables: {
    method: 'get',
    path: '/api/tables',
    summary: 'What can be synced, by group',
    answer: offeredTables,
  },
  checkKey: {
    method: 'post',
    path: '/api/link',
    summary: 'Check a key: whose it is, and what it may read',
    body: keyRequest,
    answer: checkedKey,
  },
  checkAgain: {
    method: 'post',
    path: '/api/link/{draft}/check',
    summary: 'Check the same key again, after scopes were granted',
    answer: checkedKey,
  },
  estimate: {
    method: 'post',
    path: '/api/link/{draft}/estimate',
    summary: 'What tables cost together',
    body: estimateRequest,
    answer: estimateAnswer,
  },
  checkDestination: {
    method: 'post',
    path: '/api/link/{draft}/destination',
    summary: 'Check that a destination can be written to',
    body: destinationRequest,
    answer: destinationAnswer,
  },
  planLink: {
    method: 'post',
    path: '/api/link/{draft}/plan',
    summary: 'What linking would do',
    body: linkRequest,
    answer: linkPlan,
  },
  link: {
    method: 'post',
    path: '/api/link/{draft}',
    summary: 'Link: write key and settings, create the schedules, start the import',
    body: linkOrder,
    answer: linked,
  },
  forgetDraft: {
    method: 'delete',
    path: '/api/link/{draft}',
    summary: 'Forget the key',
    answer: nothing,
  },

  source: {
    method: 'get',
    path: '/api/sources/{id}',
    summary: 'A connection and its tables',
    answer: sourceDetail,
  },
  sourceLive: {
    method: 'get',
    path: '/api/sources/{id}/live',
    summary: 'The same as a stream: one event `state` at once, and one per change',
    answer: sourceDetail,
    as: 'events',
  },
  planChange: {
    method: 'post',
    path: '/api/sources/{id}/plan',
    summary: 'What a change of the settings would do',
    body: changeRequest,
    answer: plannedChange,
  },
  change: {
    method: 'post',
    path: '/api/sources/{id}/apply',
    summary: 'Change the settings file and update the schedules',
    body: changeOrder,
    answer: changeDone,
  },
  previewAction: {
    method: 'post',
    path: '/api/sources/{id}/actions/preview',
    summary: 'What an action would do',
    body: actionRequest,
    answer: actionPreview,
  },
  act: {
    method: 'post',
    path: '/api/sources/{id}/actions',
    summary: 'Trigger, pause, resume, resync, cancel or unlink',
    body: actionRequest,
    answer: actionOutcome,
  },

  runs: {
    method: 'get',
    path: '/api/sources/{id}/runs',
    summary: 'The history of runs, newest first',
    query: runsQuery,
    answer: runsAnswer,
  },
  health: {
    method: 'get',
    path: '/api/sources/{id}/health',
    summary: 'Rows, requests, use of the rate limit and lag over time',
    query: healthQuery,
    answer: healthAnswer,
  },

  dataTables: {
    method: 'get',
    path: '/api/sources/{id}/data',
    summary: 'The tables in the destination',
    answer: dataTables,
  },
  tableData: {
    method: 'get',
    path: '/api/sources/{id}/data/{table}',
    summary: 'A table: columns, versions and its newest rows',
    query: tableQuery,
    answer: tableData,
  },
  sql: {
    method: 'post',
    path: '/api/sources/{id}/sql',
    summary: 'One SELECT over the tables; the first rows of its result',
    body: sqlRequest,
    answer: sqlAnswer,
  },
  sqlAsCsv: {
    method: 'post',
    path: '/api/sources/{id}/sql.csv',
    summary: 'One SELECT over the tables; all rows, as CSV',
    body: sqlRequest,
    answer: z.string(),
    as: 'csv',
  },
  pictures: { method: 'get', path: '/api/pictures', summary: 'The list of pictures', answer: pictureList },
  picture: {
    method: 'get',
    path: '/api/sources/{id}/pictures/{name}',
    summary: 'A picture with its figures',
    answer: drawnPicture,
  },
});

export type EndpointName = keyof typeof endpoints;
type Of<Name extends EndpointName> = (typeof endpoints)[Name];

/** What an endpoint answers. */
export type Answer<Name extends EndpointName> = z.infer<Of<Name>['answer']>;
/** The body that is sent to an endpoint. */
export type Body<Name extends EndpointName> =
  Of<Name> extends { readonly body: infer Schema extends z.ZodType } ? z.input<Schema> : undefined;
/** The parameters of an endpoint. */
export type Query<Name extends EndpointName> =
  Of<Name> extends { readonly query: infer Schema extends z.ZodType } ? z.input<Schema> : undefined;
