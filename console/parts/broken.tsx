import { Notice } from './notice.tsx';

/** Shown while the stream of the server is interrupted: what is on the page may be old. */
export function Broken({ broken }: { readonly broken: boolean }) {
  if (!broken) return null;
  return (
    <Notice kind="warn" title="The console does not answer; trying again …">
      <p>What you see is the last it said.</p>
    </Notice>
  );
}
