import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api';

// Only the interface of OpenTelemetry: where a process has not set up tracing, as most have not, nothing is recorded.
// Attributes name tables, windows, figures and outcomes, never a parameter, a row or a key.

/** Runs `work` within a span below the one that is open. */
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

/** A span that ends now and began so many milliseconds ago, below the one that is open. */
export function spanSince(name: string, ms: number): void {
  tracer()
    .startSpan(name, { startTime: Date.now() - ms })
    .end();
}

/** Adds facts to the span that is open. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

// Asked for each time: one that is kept would go on to write to a provider that has been shut down.
const tracer = () => trace.getTracer('incident-io-source');
