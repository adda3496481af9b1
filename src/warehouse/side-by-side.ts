import pLimit from 'p-limit';

/** Eight concurrent requests fill a connection; more would only share it. */
const atOnce = 8;

/** Does the same for each item, a few at a time. Returns the results in order; starts no more after an error. */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit({ concurrency: atOnce, rejectOnClear: true });
  // Wait for all of them before reporting an error: the caller may delete the folder that they write to.
  const ends = await Promise.allSettled(
    items.map((item) =>
      limit(async () => {
        try {
          return await work(item);
        } catch (error) {
          limit.clearQueue();
          throw error;
        }
      }),
    ),
  );
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}
