import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SpanStatusCode } from '@opentelemetry/api';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { keepSecret } from '../../../src/secrets.ts';
import { spanned } from '../../../src/spans.ts';
import { tableNamed } from '../../../src/tables/index.ts';
import { planted, withPlantedSecrets } from '../../helpers/planted.ts';
import { bundleWorkflows } from '../../../src/serving/bundle.ts';
import { quietRuntime } from '../../../src/serving/runtime.ts';
import { startTracing } from '../../../src/serving/tracing.ts';
import { tracingModule } from '../../../src/serving/create-worker.ts';
import { startCommand } from '../../helpers/command.ts';
import { freePort } from '../../helpers/serving.ts';
import { connectToTestServer } from '../../helpers/temporal.ts';
import {
  keyVariable,
  settingsFor,
  startOnWorkerQueue,
  type TestSettings,
} from '../../helpers/worker-queue.ts';

quietRuntime();
const temporal = await connectToTestServer();

type Value = { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean };
type Attribute = { readonly key: string; readonly value: Value };
type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
};
type Sent = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
};

/** A collector on loopback, with what it has received. */
async function collector() {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (text: Buffer) => (body += text.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const sent = () => bodies.flatMap((body) => (JSON.parse(body) as Sent).resourceSpans);
  return {
    url: `http://127.0.0.1:${port}`,
    text: () => bodies.join('\n'),
    resources: () => sent().map(({ resource }) => factsOf(resource.attributes)),
    spans: () => sent().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  };
}

function factsOf(attributes: readonly Attribute[]): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue]),
  );
}

const key = 'inc_traced_4711';

async function startTracedWorker({ file }: TestSettings, url: string, sampler: string) {
  const worker = startCommand(['worker', '--settings', file], {
    TEMPORAL_ADDRESS: temporal.address,
    [keyVariable]: key,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'their-name',
    OTEL_TRACES_SAMPLER: sampler,
  });
  await worker.says('worker started');
  return worker;
}

it(
  'sends one trace per run, down to each request, wait and step of the commit',
  { timeout: 90_000 },
  async () => {
    const sandbox = await startSandbox({
      key: { key },
      sizes: { incident_updates: 2_000 },
      limits: 'off',
    });
    onTestFinished(() => sandbox.stop());
    sandbox.transform = (record, table) => withPlantedSecrets(tableNamed(table), record);
    sandbox.fault({
      table: 'incident_updates',
      times: 1,
      fault: { kind: 'error', status: 429, retryAfterSeconds: 1 },
    });
    const [settings, others] = await Promise.all(
      [0, 1].map(() =>
        settingsFor(sandbox, { incident_updates: { syncMethod: 'full_refresh', every: '6h' } }),
      ),
    );
    const [received, nothing] = await Promise.all([collector(), collector()]);
    const workers = await Promise.all([
      startTracedWorker(settings!, received.url, 'parentbased_always_on'),
      startTracedWorker(others!, nothing.url, 'parentbased_always_off'),
    ]);
    const start = (each: TestSettings) =>
      startOnWorkerQueue(temporal.client, sandbox, each, 'incident_updates');
    const run = await start(settings!);
    const { read } = await run.result();
    await (await start(others!)).result();
    // The first run of a table is not done in one step.
    await (await startOnWorkerQueue(temporal.client, sandbox, settings!, 'severities')).result();
    const quick = await startOnWorkerQueue(temporal.client, sandbox, settings!, 'severities', 'local');
    await quick.result();
    const history = await temporal.client.workflow.getHandle(run.workflowId).fetchHistory();
    for (const { child } of workers) child.kill('SIGTERM');
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0]);

    const spans = received.spans();
    const below = (parent: Span) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
    const named = (name: string, among = spans) => among.filter((span) => span.name === name);
    const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.map(({ name }) => name)).toEqual(Array.from({ length: 3 }, () => 'RunWorkflow:syncTable'));
    const rootOf = ({ workflowId, firstExecutionRunId }: typeof run) => {
      const root = roots.find(({ attributes }) => factsOf(attributes)['run_id'] === firstExecutionRunId);
      const ids = { temporalWorkflowId: workflowId, run_id: firstExecutionRunId };
      expect(factsOf(root!.attributes)).toEqual(ids);
      return root!;
    };
    const step = (activity: string, of = run) => {
      const [asked] = named(`StartActivity:${activity}`, below(rootOf(of)));
      const [done] = named(`RunActivity:${activity}`, below(asked!));
      return { facts: factsOf(done!.attributes), below: below(done!) };
    };
    const batch = step('extractBatch');
    expect(batch.facts).toMatchObject({
      'incident_io.table': 'incident_updates',
      'incident_io.window': 0,
      'incident_io.pages': read.pages,
      'incident_io.rows': 2_000,
      'incident_io.waited_ms': read.waitedMs,
    });
    const answers = named('GET /v2/incident_updates', batch.below).map(
      ({ attributes }) => factsOf(attributes)['http.response.status_code'],
    );
    expect(answers).toEqual([429, ...Array.from({ length: read.pages }, () => 200)]);
    expect(named('wait at the limit', batch.below).length).toBeGreaterThan(0);
    expect(named('stage', batch.below)).toHaveLength(1);
    const commit = step('commitSync');
    expect(commit.facts).toMatchObject({ 'incident_io.outcome': 'committed', 'incident_io.rows': 2_000 });
    expect(named('merge', commit.below)).toHaveLength(1);
    expect(named('put', commit.below)).toHaveLength(1);

    const whole = step('quickSync', quick);
    expect(whole.facts).toMatchObject({
      'incident_io.table': 'severities',
      'incident_io.outcome': 'committed',
    });
    expect(named('GET /v1/severities', whole.below).length).toBeGreaterThan(0);

    expect(received.resources()[0]).toMatchObject({ 'service.name': 'their-name' });
    // Neither the key nor a row, and nothing that the SDK knows about a run except its ids.
    const [record] = sandbox.records('incident_updates');
    for (const secret of [key, planted, (record as { id: string }).id, keyVariable, settings!.destination]) {
      expect(received.text()).not.toContain(secret);
    }
    expect(nothing.spans()).toEqual([]);
    // Turning tracing off must not break runs in progress.
    await expect(
      Worker.runReplayHistory(
        { workflowBundle: temporal.workflowBundle },
        JSON.parse(historyToJSON(history)),
      ),
    ).resolves.toBeUndefined();
  },
);

describe('runs that began without tracing', async () => {
  const folder = fileURLToPath(new URL('../../histories/', import.meta.url));
  const codePath = join(await mkdtemp(join(tmpdir(), 'incident-io-source-traced-')), 'traced.js');
  afterAll(() => rm(dirname(codePath), { recursive: true }));
  const sinks = { exporter: { export: { fn: () => undefined } } };

  it.each(readdirSync(folder))('continue with it: %s', async (file) => {
    if (!existsSync(codePath)) await bundleWorkflows(codePath, [tracingModule]);
    const history: unknown = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'));
    const replay = Worker.runReplayHistory({ workflowBundle: { codePath }, sinks }, history);
    await expect(replay).resolves.toBeUndefined();
  });
});

/** Starts tracing in this process, and collects what it logs. */
async function tracingTo(url: string) {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  Object.assign(process.env, env);
  onTestFinished(() => Object.keys(env).forEach((name) => Reflect.deleteProperty(process.env, name)));
  const lines: string[] = [];
  const tracing = await startTracing(process.env, (level, line) => void lines.push(`${level} ${line}`));
  return { lines, stop: tracing.stop };
}

it('logs once that no collector accepts the traces, and ends anyway', async () => {
  const { lines, stop } = await tracingTo(`http://127.0.0.1:${await freePort()}`);
  await spanned('one', {}, () => Promise.resolve());
  await stop();
  expect(lines).toEqual(['warn cannot send traces']);
});

it('cuts API keys out of the spans it sends', async () => {
  const received = await collector();
  const { stop } = await tracingTo(received.url);
  keepSecret('inc_in_an_error');
  await spanned('one', { said: 'it was inc_in_an_error' }, (span) => {
    span.recordException(new Error('inc_in_an_error was refused'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'inc_in_an_error' });
    return Promise.resolve();
  });
  await stop();
  expect(received.spans()).toHaveLength(1);
  expect(received.text()).not.toContain('inc_in_an_error');
});

it.each([
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, '"grpc"'],
  [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, 'OTEL_TRACES_SAMPLER "jaeger_remote"'],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'half' },
    'OTEL_TRACES_SAMPLER_ARG is "half"',
  ],
])('refuses %o and names the value', async (env, named) => {
  const started = startTracing(env, () => undefined);
  await expect(started).rejects.toBeInstanceOf(UsageError);
  await expect(started).rejects.toThrow(named);
});
