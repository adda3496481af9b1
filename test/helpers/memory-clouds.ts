import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { CRC32C } from '@google-cloud/storage';
import { serve } from './s3-stand-in.ts';

// Google Cloud Storage and Azure Blob Storage in memory: as much of both as the product uses.

export type CloudRequest = {
  readonly method: string;
  /** Without the bucket; empty for a listing. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

/** A fault of a store, instead of the right answer. */
export type CloudFault =
  /** An error with a code of the cloud. */
  | { readonly status: number; readonly code: string }
  /** A page that is not an answer of the cloud. */
  | { readonly status: number; readonly page: string }
  /** The store does as it was asked, and the connection ends without an answer. */
  | 'lose the answer'
  /** The connection ends in the middle of the body. */
  | 'cut the body';

export type CloudQuirks = {
  /** Whether a conditional write replaces the object anyway, or checks first and writes later. */
  readonly condition?: 'ignored' | 'raced';
  /** Asked before every request is carried out. */
  readonly fault?: (request: CloudRequest) => CloudFault | undefined;
};

export type MemoryCloud = {
  /** A destination in a bucket there. */
  readonly destination: string;
  readonly objects: Map<string, Buffer>;
  /** Every request that came. */
  readonly requests: CloudRequest[];
};

type Answer = {
  readonly status: number;
  readonly headers?: { [name: string]: string };
  readonly body?: Buffer | string;
};
type Store = {
  readonly objects: Map<string, Buffer>;
  readonly parts: Map<string, Buffer>;
  readonly url: () => string;
};
type Cloud = {
  readonly nameIn: (path: string, query: URLSearchParams) => string;
  readonly isConditional: (request: CloudRequest) => boolean;
  readonly taken: { readonly status: number; readonly code: string };
  readonly refusal: (status: number, code: string) => Answer;
  readonly answer: (request: CloudRequest, store: Store) => Answer;
};

/** Serves a bucket `tables` of Google Cloud Storage; it is gone after the test. */
export async function memoryGcs(quirks: CloudQuirks = {}): Promise<MemoryCloud> {
  const { url, ...rest } = await serveCloud(gcs, quirks);
  return { destination: `gs://tables/t?endpoint=${url}`, ...rest };
}

/** Serves a container `tables` of the account `acme`; it is gone after the test. */
export async function memoryAzure(quirks: CloudQuirks = {}): Promise<MemoryCloud> {
  const { url, ...rest } = await serveCloud(azure, quirks);
  return { destination: `az://acme/tables/t?endpoint=${url}`, ...rest };
}

async function serveCloud(
  cloud: Cloud,
  { condition, fault }: CloudQuirks,
): Promise<Omit<MemoryCloud, 'destination'> & { url: string }> {
  const objects = new Map<string, Buffer>();
  const requests: CloudRequest[] = [];
  const racing = new Map<string, () => void>();
  const store = { objects, parts: new Map<string, Buffer>(), url: () => url };
  const url = await serve(async (incoming, response) => {
    const { pathname, searchParams: query } = new URL(incoming.url!, 'http://store');
    const { method, headers } = incoming;
    const name = cloud.nameIn(decodeURIComponent(pathname), query);
    const request = { method: method!, name, query, headers, body: await buffer(incoming) };
    requests.push(request);
    const wrong = fault?.(request);
    if (typeof wrong === 'object') {
      send(
        response,
        'page' in wrong
          ? { status: wrong.status, body: wrong.page }
          : cloud.refusal(wrong.status, wrong.code),
      );
      return;
    }
    const isConditional = cloud.isConditional(request);
    const isTaken = isConditional && condition !== 'ignored' && objects.has(name);
    if (isConditional && !isTaken && condition === 'raced') await untilAnotherCame(racing, name);
    const answer = isTaken
      ? cloud.refusal(cloud.taken.status, cloud.taken.code)
      : cloud.answer(request, store);
    if (wrong === 'lose the answer') response.destroy();
    else send(response, answer, wrong === 'cut the body');
  });
  return { url, objects, requests };
}

/** The first writer of a name waits between its check and its write until a second one has checked too. */
async function untilAnotherCame(racing: Map<string, () => void>, name: string): Promise<void> {
  const first = racing.get(name);
  if (first) first();
  else await new Promise<void>((resolve) => racing.set(name, resolve));
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Answer, cut = false): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-length': bytes.byteLength, ...headers });
  if (cut) response.write(bytes.subarray(0, bytes.byteLength / 2), () => response.destroy());
  else response.end(bytes);
}

function namesUnder({ objects }: Store, prefix: string): string[] {
  return [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
}

function foldersOf(names: readonly string[], prefix: string): string[] {
  return [...new Set(names.map((name) => name.slice(0, name.indexOf('/', prefix.length) + 1)))];
}

function crcOf(bytes: Buffer): string {
  const crc = new CRC32C();
  crc.update(bytes);
  return crc.toString();
}

const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const gcs: Cloud = {
  nameIn: (path, query) => query.get('name') ?? /^\/storage\/v1\/b\/tables\/o\/?(.*)$/s.exec(path)?.[1] ?? '',
  isConditional: ({ method, query }) => method === 'POST' && query.get('ifGenerationMatch') === '0',
  taken: { status: 412, code: 'conditionNotMet' },
  refusal: (status, code) =>
    json(
      { error: { code: status, message: 'secret', errors: [{ reason: code, message: 'secret' }] } },
      status,
    ),
  answer({ method, name, query, headers, body }, store) {
    const { objects, parts } = store;
    const about = (of: string) => ({
      name: of,
      size: String(objects.get(of)!.byteLength),
      timeCreated: '2026-01-01T00:00:00Z',
      crc32c: crcOf(objects.get(of)!),
    });
    if (query.get('uploadType') === 'multipart') {
      const boundary = /boundary="?([^";]+)/.exec(headers['content-type']!)![1]!;
      const text = body.toString('latin1');
      const [, , part] = text.split(`--${boundary}`);
      objects.set(
        name,
        Buffer.from(part!.slice(part!.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, ''), 'latin1'),
      );
      return json(about(name));
    }
    if (query.get('uploadType') === 'resumable' && method === 'POST') {
      return {
        status: 200,
        headers: { location: `${store.url()}/session?name=${encodeURIComponent(name)}` },
      };
    }
    if (method === 'PUT') {
      const [, last, total] = /bytes \d+-(\d+)\/(\d+|\*)/.exec(headers['content-range'] ?? '') ?? [];
      parts.set(name, Buffer.concat([parts.get(name) ?? Buffer.of(), body]));
      if (total === '*') return { status: 308, headers: { range: `bytes=0-${last}` } };
      objects.set(name, parts.get(name)!);
      return json(about(name));
    }
    if (name === '') {
      const prefix = query.get('prefix') ?? '';
      // As the cloud does: from this name on, including it.
      const names = namesUnder(store, prefix).filter((found) => found >= (query.get('startOffset') ?? ''));
      return json(
        query.has('delimiter')
          ? { kind: 'storage#objects', prefixes: foldersOf(names, prefix) }
          : { kind: 'storage#objects', items: names.map(about) },
      );
    }
    const found = objects.get(name);
    if (found === undefined)
      return query.get('alt') === 'media'
        ? { status: 404, body: 'No such object' }
        : gcs.refusal(404, 'notFound');
    if (method === 'DELETE') {
      objects.delete(name);
      return { status: 204 };
    }
    return query.get('alt') === 'media' ? { status: 200, body: found } : json(about(name));
  },
};

const azure: Cloud = {
  nameIn: (path) => path.replace(/^\/acme\/tables\/?/, ''),
  isConditional: ({ method, headers, query }) =>
    method === 'PUT' && !query.has('comp') && headers['if-none-match'] === '*',
  taken: { status: 409, code: 'BlobAlreadyExists' },
  refusal: (status, code) => ({
    status,
    headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret</Message></Error>`,
  }),
  answer({ method, name, query, body }, store) {
    const { objects, parts } = store;
    const headers = { etag: '"1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' };
    if (method === 'PUT') {
      if (query.get('comp') === 'block') parts.set(query.get('blockid')!, body);
      else if (query.get('comp') === 'blocklist') {
        const ids = [...body.toString().matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(([, id]) => id!);
        objects.set(name, Buffer.concat(ids.map((id) => parts.get(id)!)));
      } else objects.set(name, body);
      return { status: 201, headers };
    }
    if (query.get('comp') === 'list') {
      const prefix = query.get('prefix') ?? '';
      const names = namesUnder(store, prefix);
      const entries = query.has('delimiter')
        ? foldersOf(names, prefix).map((found) => `<BlobPrefix><Name>${found}</Name></BlobPrefix>`)
        : names.map(
            (found) =>
              `<Blob><Name>${found}</Name><Properties><Content-Length>${objects.get(found)!.byteLength}</Content-Length>` +
              `<Last-Modified>${headers['last-modified']}</Last-Modified></Properties></Blob>`,
          );
      // A folder of an account with a hierarchical namespace.
      const folder = `<Blob><Name>${prefix}folder</Name><Properties><Content-Length>0</Content-Length><Last-Modified>${headers['last-modified']}</Last-Modified></Properties><Metadata><hdi_isfolder>true</hdi_isfolder></Metadata></Blob>`;
      return {
        status: 200,
        headers: { 'content-type': 'application/xml' },
        body: `<?xml version="1.0"?><EnumerationResults ContainerName="tables"><Blobs>${folder}${entries.join('')}</Blobs><NextMarker/></EnumerationResults>`,
      };
    }
    const found = objects.get(name);
    if (found === undefined) return azure.refusal(404, 'BlobNotFound');
    if (method === 'DELETE') {
      objects.delete(name);
      return { status: 202 };
    }
    return { status: 200, headers, body: found };
  },
};
