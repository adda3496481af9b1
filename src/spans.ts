import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api';

// Uses only the interface of OpenTelemetry: nothing is recorded unless the process has set up tracing, and most have
// not. Attributes name tables, windows, figures and outcomes, never a parameter, a row or a key.

/** Runs `work` in a span below the open one. */
export function spanned<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer().startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      const { name } = error as Error;
      span.setStatus({ code: SpanStatusCode.ERROR, message: name });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Records a span below the open one that ends now and began `ms` milliseconds ago. */
export function spanSince(name: string, ms: number): void {
  tracer()
    .startSpan(name, { startTime: Date.now() - ms })
    .end();
}

/** Adds facts to the open span. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

// Looked up each time: a stored one would still write to a provider that has been shut down.
const tracer = () => trace.getTracer('incident-io-source');
