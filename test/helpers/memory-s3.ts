import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { refuse, serve } from './s3-stand-in.ts';

/** How a store differs from AWS. Every one of these is how some real store or a version of it behaves. */
export type Quirks = {
  /**
   * What it does with `If-None-Match: *`: replaces the object anyway; checks first and writes later, so that several
   * writers at once succeed; or refuses with a status.
   */
  readonly condition?: 'ignored' | 'raced' | 400 | 501;
  readonly deleteMany?: 'unknown' | 'needs MD5';
  readonly deletes?: 'nothing' | 'denied';
  readonly startAfter?: 'refused' | 'ignored';
  readonly lists?: 'unsorted' | 'nothing' | 'no folders';
  readonly multipart?: 'unknown' | 'loses the content';
};

export type MemoryS3 = {
  /** A destination in a bucket there. */
  readonly destination: string;
  /** The names of all objects. */
  readonly names: () => string[];
  /** How many requests of each kind were made. */
  readonly requests: Map<string, number>;
};

type Asked = {
  readonly kind: string;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

/** An S3 store in memory with the given quirks; gone after the test. */
export async function memoryS3(quirks: Quirks = {}): Promise<MemoryS3> {
  const objects = new Map<string, Buffer>();
  const racing = new Map<string, () => void>();
  const requests = new Map<string, number>();
  const url = await serve(async (request, response) => {
    const asked = await askedBy(request);
    requests.set(asked.kind, (requests.get(asked.kind) ?? 0) + 1);
    await answers[asked.kind]!({ quirks, objects, racing, response, ...asked });
  });
  return {
    destination: `s3://bucket/tables?endpoint=${url}`,
    names: () => [...objects.keys()].sort(),
    requests,
  };
}

async function askedBy(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams: query } = new URL(request.url!, 'http://store');
  const name = decodeURIComponent(pathname.replace(/^\/[^/]*\/?/, ''));
  const { headers } = request;
  const kinds: { readonly [method: string]: string } = {
    GET: name === '' ? 'list' : 'get',
    PUT: query.has('partNumber') ? 'put part' : headers['if-none-match'] ? 'put if absent' : 'put',
    DELETE: query.has('uploadId') ? 'abort' : 'delete',
    POST: query.has('delete') ? 'delete many' : query.has('uploads') ? 'create upload' : 'complete upload',
  };
  return { kind: kinds[request.method!]!, name, query, headers, body: await buffer(request) };
}

type Answer = Asked & {
  readonly quirks: Quirks;
  readonly objects: Map<string, Buffer>;
  /** By name: lets the first of several writers continue. */
  readonly racing: Map<string, () => void>;
  readonly response: ServerResponse;
};

const answers: { readonly [kind: string]: (asked: Answer) => void | Promise<void> } = {
  get({ objects, name, response }) {
    const found = objects.get(name);
    if (found) response.end(found);
    else refuse(response, { status: 404, code: 'NoSuchKey' });
  },
  put({ objects, name, body, response }) {
    objects.set(name, body);
    response.setHeader('etag', '"1"').end();
  },
  async 'put if absent'(asked) {
    const { quirks, objects, name, response } = asked;
    const { condition } = quirks;
    if (typeof condition === 'number') {
      refuse(response, { status: condition, code: condition === 501 ? 'NotImplemented' : 'InvalidArgument' });
      return;
    }
    const isTaken = condition !== 'ignored' && objects.has(name);
    if (condition === 'raced' && !isTaken) await untilAnotherCame(asked);
    if (isTaken) refuse(response, { status: 412, code: 'PreconditionFailed' });
    else await answers['put']!(asked);
  },
  delete({ quirks, objects, name, response }) {
    if (quirks.deletes !== 'nothing') objects.delete(name);
    response.writeHead(204).end();
  },
  'delete many'({ quirks, objects, headers, body, response }) {
    if (quirks.deleteMany === 'unknown') {
      refuse(response, { status: 501, code: 'NotImplemented' });
    } else if (quirks.deleteMany === 'needs MD5' && !headers['content-md5']) {
      refuse(response, { status: 400, code: 'InvalidRequest' });
    } else if (quirks.deletes === 'denied') {
      xml(response, '<DeleteResult><Error><Key>x</Key><Code>AccessDenied</Code></Error></DeleteResult>');
    } else {
      for (const [, name] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
        if (quirks.deletes !== 'nothing') objects.delete(name!);
      }
      xml(response, '<DeleteResult/>');
    }
  },
  list(asked) {
    const { quirks, query, response } = asked;
    if (quirks.startAfter === 'refused' && query.has('start-after')) {
      refuse(response, { status: 501, code: 'NotImplemented' });
    } else {
      xml(response, listing(asked));
    }
  },
  'create upload'({ quirks, response }) {
    if (quirks.multipart === 'unknown') refuse(response, { status: 501, code: 'NotImplemented' });
    else
      xml(response, '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>');
  },
  'put part'({ quirks, objects, name, body, response }) {
    // One part is enough here.
    objects.set(name, quirks.multipart === 'loses the content' ? Buffer.of() : body);
    response.setHeader('etag', '"1"').end();
  },
  'complete upload'({ response }) {
    xml(response, '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>');
  },
  abort({ objects, name, response }) {
    objects.delete(name);
    response.writeHead(204).end();
  },
};

/** The first writer of a name waits between its check and its write until a second one has checked too. */
async function untilAnotherCame({ racing, name }: Answer): Promise<void> {
  const first = racing.get(name);
  if (first) first();
  else await new Promise<void>((resolve) => racing.set(name, resolve));
}

function listing({ quirks, objects, query }: Answer): string {
  const prefix = query.get('prefix') ?? '';
  const after = quirks.startAfter === 'ignored' ? '' : (query.get('start-after') ?? '');
  const delimiter = query.get('delimiter');
  const names = quirks.lists === 'nothing' ? [] : [...objects.keys()];
  const found = names.filter((name) => name.startsWith(prefix) && name > after).sort();
  if (quirks.lists === 'unsorted') found.reverse();
  const folderOf = (name: string) => name.slice(0, name.indexOf('/', prefix.length) + 1);
  const folders =
    delimiter === null || quirks.lists === 'no folders' ? [] : [...new Set(found.map(folderOf))];
  const contents = delimiter === null ? found : [];
  return [
    `<ListBucketResult><Name>bucket</Name><KeyCount>${contents.length + folders.length}</KeyCount>`,
    ...contents.map((name) => {
      const size = objects.get(name)!.byteLength;
      return `<Contents><Key>${name}</Key><Size>${size}</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
    }),
    ...folders.map((name) => `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`),
    '</ListBucketResult>',
  ].join('');
}

function xml(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/xml').end(`<?xml version="1.0"?>${body}`);
}
