/**
 * The bytes, with the last one held back until `whenReady` resolves. So any number of requests can be complete at the
 * same moment, however long each takes to be built, signed and sent.
 */
export async function* lastByteHeld(
  bytes: Uint8Array,
  whenReady: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, -1);
  await whenReady();
  yield bytes.subarray(-1);
}
