/** Codes of failed connections; failures of local files have other codes. Google's library compares hashes. */
const network =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE|CONTENT_DOWNLOAD_MISMATCH)$/;

/** Azure's library says that a request was aborted when its connection ends. */
const unfinished = /^(TimeoutError|AbortError)$/;

/** Whether a connection failed or ended before the answer was complete. */
export function isBrokenOff(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException;
  return unfinished.test(name) || (code !== undefined && network.test(code));
}
