import { Notice } from './notice.tsx';

/** Shown while the stream from the server is interrupted, because the page may then be outdated. */
export function Broken({ broken }: { readonly broken: boolean }) {
  if (!broken) return null;
  return (
    <Notice kind="warn" title="The console does not answer; trying again …">
      <p>What you see is its last known state.</p>
    </Notice>
  );
}
