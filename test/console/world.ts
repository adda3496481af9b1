import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect, inject, onTestFinished, vi } from 'vitest';
import { startConsole } from '../../src/console/console.ts';
import { Sources } from '../../src/console/sources.ts';
import type { Answer, Body, EndpointName } from '../../src/console/contract.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import { quietRuntime } from '../../src/serving/runtime.ts';
import { ServedQueues } from '../../src/serving/served-queues.ts';
import { accessOf, connectToTestServer, type TestTemporal, unique } from '../helpers/temporal.ts';

/** Whether this machine has a browser; the setup says so if not. */
export const hasBrowser = inject('browserEndpoint') !== undefined;

/** A console over a sandbox, with a worker, as `demo --console` has it. */
export type World = {
  readonly sandbox: Sandbox;
  /** The address to open, with the token. */
  readonly url: string;
  /** Where settings are written. */
  readonly folder: string;
  readonly temporal: TestTemporal;
  /** Opens the console in a browser of its own; an error that the page reports fails the test. */
  readonly open: (fragment?: string, options?: BrowserContextOptions) => Promise<Page>;
  /** Another page of a browser that is open. */
  readonly watch: (page: Page) => void;
  readonly ask: <Name extends EndpointName>(path: string, body?: Body<Name>) => Promise<Answer<Name>>;
  /** Links these tables as the page does, waits for the first import and returns the id of the source. */
  readonly link: (tables: readonly string[]) => Promise<string>;
  readonly settingsText: (id: string) => Promise<string>;
};

/** Starts everything; it ends after the file's last test. Call it in `beforeAll`. */
export async function startWorld(options: SandboxOptions = {}): Promise<World> {
  // Otherwise the worker's own lines fill the report.
  quietRuntime();
  const temporal = await connectToTestServer();
  const access = accessOf(temporal);
  const folder = await mkdtemp(join(tmpdir(), 'incident-io-source-console-'));
  process.env['XDG_CONFIG_HOME'] = join(folder, 'config');
  const sandbox = await startSandbox({ limits: 'off', ...options });
  const ending = new AbortController();
  const queues = new ServedQueues(access, () => undefined, { workflowBundle: temporal.workflowBundle });
  const console = await startConsole(
    {
      client: temporal.client,
      sources: new Sources([folder]),
      log: () => undefined,
      signal: ending.signal,
      temporalUi: undefined,
      sandbox: { baseUrl: sandbox.url, key: sandbox.key },
      serve: (settings) => queues.serve(settings),
    },
    { listen: '127.0.0.1:0' },
    inject('pageFolder'),
  );
  const browser = await chromium.connect(inject('browserEndpoint')!);
  afterAll(async () => {
    await browser.close();
    ending.abort();
    await console.close();
    await queues.close();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = asking(console.url);
  return {
    sandbox,
    url: console.url,
    folder,
    temporal,
    open: (fragment = '', context = {}) => openPage(browser, `${console.url}${fragment}`, context),
    watch: failOnErrors,
    ask,
    link: (tables) => linkByApi(ask, sandbox, folder, tables),
    settingsText: (id) => readFile(join(folder, `${id}.json`), 'utf8'),
  };
}

async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  // As long as other tests poll: the machine may be busy.
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  failOnErrors(page);
  await page.goto(url);
  return page;
}

/** Errors in the page's code, and everything that its content security policy refused. */
function failOnErrors(page: Page): void {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // The browser also reports each answer that is not 2xx, which the page shows to people.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) errors.push(message.text());
  });
  onTestFinished(() => expect(errors).toEqual([]));
}

function asking(url: string): World['ask'] {
  const { origin, searchParams } = new URL(url);
  const headers = {
    authorization: `Bearer ${searchParams.get('token')}`,
    'content-type': 'application/json',
  };
  return async <Name extends EndpointName>(path: string, body?: Body<Name>) => {
    const answer = await fetch(`${origin}${path}`, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    const value: unknown = await answer.json();
    if (!answer.ok) throw new Error(JSON.stringify(value));
    return value as Answer<Name>;
  };
}

async function linkByApi(
  ask: World['ask'],
  sandbox: Sandbox,
  folder: string,
  names: readonly string[],
): Promise<string> {
  const { groups } = await ask<'tables'>('/api/tables');
  const { draft } = await ask<'checkKey'>('/api/link', { key: sandbox.key, baseUrl: sandbox.url });
  const chosen = groups.flatMap(({ tables }) => tables).filter(({ table }) => names.includes(table));
  const tables = Object.fromEntries(
    chosen.map(({ table, defaults, syncMethods }) => [table, defaults[syncMethods[0]!]!]),
  );
  const connection = unique('acme');
  const destination = join(folder, connection);
  const { id } = await ask<'link'>(`/api/link/${draft}`, { connection, destination, tables });
  const isImported = async () => {
    const { tables: now } = await ask<'source'>(`/api/sources/${id}`);
    expect(now.map(({ state }) => state)).toEqual(names.map(() => 'current'));
  };
  await vi.waitFor(isImported, { timeout: 60_000, interval: 200 });
  return id;
}
