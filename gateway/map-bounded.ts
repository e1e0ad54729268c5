/** Runs an effect for each item, at most `limit` at once; settles when all have, with the outcomes in the items' order. */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  run: (item: Item) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const outcomes: PromiseSettledResult<Result>[] = new Array(items.length);
  const queue = items.entries();
  async function work(): Promise<void> {
    // One iterator shared by all workers: each item is taken once.
    for (const [position, item] of queue) {
      try {
        outcomes[position] = { status: "fulfilled", value: await run(item) };
      } catch (reason) {
        outcomes[position] = { status: "rejected", reason };
      }
    }
  }
  const workers: Promise<void>[] = [];
  while (workers.length < Math.min(limit, items.length)) workers.push(work());
  await Promise.all(workers);
  return outcomes;
}
