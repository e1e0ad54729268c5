/** Works through items, so many at once. The first failure aborts what is under way, and is what this throws. */
export async function atOnce<Item>(
  limit: number,
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items.values();
  async function take(): Promise<void> {
    for (const item of queue) {
      if (failed.signal.aborted) return;
      try {
        await work(item, either);
      } catch (error) {
        if (!failed.signal.aborted) failed.abort(error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take));
  if (failed.signal.aborted) throw failed.signal.reason;
}
