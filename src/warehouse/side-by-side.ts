/** So many requests at once fill a connection; more would only share it. */
const atOnce = 8;

/** Does the same for each item, a few at a time, and gives the results in order. Begins no more after an error. */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  let failed = false;
  const goOn = async () => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // All have to end before the error is told: none may write where somebody cleans up.
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, goOn));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return results;
}
