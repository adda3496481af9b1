import { useNow } from '../app/use-now.ts';
import { relative, span, utc } from '../format/times.ts';

/** How long ago or how soon; the exact time is its tooltip, and next to it on wide pages. */
export function Time({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={`${utc(at)} UTC`}>
      {relative(at, now)}
    </time>
  );
}

/** The exact time, with how long ago below it. */
export function ExactTime({ at }: { readonly at: string }) {
  return (
    <span className="exact-time">
      <span className="nowrap">{utc(at)}</span>
      <span className="muted">
        <Time at={at} />
      </span>
    </span>
  );
}

/** How far behind a table is. */
export function Lag({ since }: { readonly since: string }) {
  const now = useNow();
  return (
    <span title={`Complete up to ${utc(since)} UTC`}>
      {span(Math.max(0, (now - Date.parse(since)) / 1_000))}
    </span>
  );
}
