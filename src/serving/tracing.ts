import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { WorkerOptions } from '@temporalio/worker';
import { UsageError } from '../errors.ts';
import { hideSecrets } from '../secrets.ts';
import type { Log } from './logs.ts';

/** The parts of a worker that trace it; its workflows have to be the traced bundle as well. */
export type Tracing = {
  readonly activity: NonNullable<NonNullable<WorkerOptions['interceptors']>['activity']>;
  readonly sinks: NonNullable<WorkerOptions['sinks']>;
  /** Sends the remaining spans. */
  readonly stop: () => Promise<void>;
};

/**
 * Records spans of everything this process does and sends them as OpenTelemetry's own variables say. Call it once per
 * process, since spans go to its global tracer. Throws `UsageError` if a variable asks for something unsupported.
 */
export async function startTracing(env: NodeJS.ProcessEnv, log: Log): Promise<Tracing> {
  const sampler = samplerOf(env);
  const processor = new BatchSpanProcessor(cleaning(await exporterOf(env), log));
  const resource = new Resource({ 'service.name': 'incident-io-source' }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const provider = new NodeTracerProvider({ resource, sampler, spanProcessors: [processor] });
  provider.register();
  return {
    activity: [(ctx) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(ctx) })],
    sinks: { exporter: makeWorkflowExporter(ofWorkflows(processor, sampler), provider.resource) },
    stop: async () => {
      // It rejects with failures that the exporter has already reported.
      await provider.shutdown().catch(() => undefined);
      for (const api of [trace, context, propagation]) api.disable();
    },
  };
}

/**
 * Decides by the trace's id alone. Each trace begins in a workflow's sandbox, which has no variables and records every
 * span: if the parent's decision were followed, everything below would be recorded too.
 */
function samplerOf(env: NodeJS.ProcessEnv): Sampler {
  const { OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: ratio = '1' } = env;
  switch (name.replace(/^parentbased_/, '')) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      if (Number(ratio) >= 0 && Number(ratio) <= 1) return new TraceIdRatioBasedSampler(Number(ratio));
      throw new UsageError(
        `OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(ratio)}, which is not a number from 0 to 1.`,
        'Give the share of runs to trace, such as 0.1.',
      );
    default:
      throw new UsageError(
        `Unknown OTEL_TRACES_SAMPLER ${JSON.stringify(name)}.`,
        'Use always_on, always_off or traceidratio, with or without the prefix parentbased_.',
      );
  }
}

async function exporterOf(env: NodeJS.ProcessEnv): Promise<SpanExporter> {
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  switch (protocol) {
    case undefined:
    case 'http/protobuf': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
      return new OTLPTraceExporter();
    }
    case 'http/json': {
      const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
      return new OTLPTraceExporter();
    }
    default:
      throw new UsageError(
        `Cannot send traces by the protocol ${JSON.stringify(protocol)}.`,
        'Set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json.',
      );
  }
}

/** Cuts API keys out of all that is sent, and logs when sending fails and when it works again. */
function cleaning(exporter: SpanExporter, log: Log): SpanExporter {
  let works = true;
  return {
    export: (spans, done) =>
      exporter.export(spans.map(withoutSecrets), (result) => {
        const { error } = result;
        if (works && error) log('warn', 'cannot send traces', { error: error.message });
        if (!works && !error) log('info', 'traces are sent again');
        works = error === undefined;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function withoutSecrets(span: ReadableSpan): ReadableSpan {
  const { status, attributes, events } = span;
  const clean = (values: ReadableSpan['attributes'] = {}) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === 'string' ? hideSecrets(value) : value,
      ]),
    );
  return Object.create(span, {
    attributes: { value: clean(attributes) },
    status: {
      value: status.message === undefined ? status : { ...status, message: hideSecrets(status.message) },
    },
    events: { value: events.map((event) => ({ ...event, attributes: clean(event.attributes) })) },
  }) as ReadableSpan;
}

/**
 * Takes the spans that workflows made in their sandbox. The SDK gives them everything it knows about a run, including
 * its memo and last result: only the attributes that spans of activities have are kept. A query for a run's progress
 * is not part of the run and is dropped.
 */
function ofWorkflows(processor: SpanProcessor, sampler: Sampler): SpanProcessor {
  return {
    onStart: () => undefined,
    onEnd: (span) => {
      if (span.name.startsWith('HandleQuery:')) return;
      const { traceId } = span.spanContext();
      const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId, span.name, SpanKind.INTERNAL, {}, []);
      if (decision !== SamplingDecision.RECORD_AND_SAMPLED) return;
      const { workflowId, runId } = span.attributes;
      const attributes = { temporalWorkflowId: workflowId, run_id: runId };
      processor.onEnd(Object.create(span, { attributes: { value: attributes } }) as ReadableSpan);
    },
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  };
}
