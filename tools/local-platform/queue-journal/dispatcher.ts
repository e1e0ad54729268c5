/** Puts the ids of journal entries into Miniflare's queues: what an earlier run left, and what was appended since. */
import { setTimeout as delay } from "node:timers/promises";
import type { JournalEntry } from "./journal.ts";

interface Waiting {
  readonly id: number;
  readonly delaySeconds: number;
}

interface Batch {
  readonly binding: string;
  readonly entries: readonly Waiting[];
}

/** Collects what many requests append: a queue waits a second for more all the same. */
const COLLECT_MS = 50;
/** workerd is still busy, or about to end. */
const RETRY_MS = 1_000;
/** Entries of one call: what a kill left may be many thousands. */
const MOST_ENTRIES = 1_000;

export class QueueDispatcher {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #stopped = new AbortController();
  #consumer: URL | undefined;
  #running = false;

  /** To be sent once it has started. */
  add({ id, binding }: JournalEntry, delaySeconds = 0): void {
    const waiting = this.#waiting.get(binding);
    if (waiting === undefined) this.#waiting.set(binding, [{ id, delaySeconds }]);
    else waiting.push({ id, delaySeconds });
    void this.#run();
  }

  /** `consumer`: where the consumer script takes entries. */
  start(consumer: URL): void {
    this.#consumer = consumer;
    void this.#run();
  }

  /** What was not sent is in the journal, for the next start. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#running) return;
    this.#running = true;
    const { signal } = this.#stopped;
    while (this.#waiting.size > 0 && !signal.aborted) {
      await pause(COLLECT_MS, signal);
      const batches = [...this.#waiting].map(([binding, entries]) => ({
        binding,
        entries: entries.splice(0, MOST_ENTRIES),
      }));
      for (const [binding, left] of this.#waiting) if (left.length === 0) this.#waiting.delete(binding);
      const outcomes = await Promise.allSettled(batches.map((batch) => send(consumer, batch, signal)));
      const failed = batches.filter((_, i) => outcomes[i]?.status === "rejected");
      for (const { binding, entries } of failed)
        for (const { id, delaySeconds } of entries) this.add({ id, binding }, delaySeconds);
      if (failed.length > 0) await pause(RETRY_MS, signal);
    }
    this.#running = false;
  }
}

/** A binding that is not there any more, since its topic is gone, is no failure: its messages stay in the journal. */
async function send(consumer: URL, { binding, entries }: Batch, signal: AbortSignal): Promise<void> {
  const response = await fetch(new URL(`?binding=${binding}`, consumer), {
    method: "POST",
    body: JSON.stringify(entries),
    signal,
  });
  await response.body?.cancel();
  if (!response.ok && response.status !== 404) throw new Error(`${binding} answered ${response.status}`);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
