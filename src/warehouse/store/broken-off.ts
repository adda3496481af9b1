/** Codes of failed connections; failures of local files have other codes. */
const network =
  /^(ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Whether a connection failed or ended before the answer was complete. */
export function isBrokenOff(error: unknown): boolean {
  const { name, code } = error as NodeJS.ErrnoException;
  return name === 'TimeoutError' || (code !== undefined && network.test(code));
}
