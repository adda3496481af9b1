import { pipeline, type Readable, Transform } from 'node:stream';

/** Milliseconds without a byte after which a connection counts as dead. */
const longestSilenceMs = 30_000;

/**
 * The same bytes. If none come for a while, the stream ends with a `TimeoutError`, so that a connection that died
 * silently does not hold up a run forever. A long answer may take as long as it needs.
 */
export function limitSilence(body: Readable): Readable {
  const timer = setTimeout(() => {
    body.destroy(Object.assign(new Error('The connection was silent.'), { name: 'TimeoutError' }));
  }, longestSilenceMs);
  const passed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      done(null, chunk);
    },
  });
  // The error of either stream reaches whoever reads the second.
  pipeline(body, passed, () => clearTimeout(timer));
  return passed;
}
