/** Sources that are asked, not listened to: a database read every so often, past the point that was reached before. */
import type { PolledTopic } from "./topics.ts";

export interface PolledBatch<E> {
  readonly events: readonly E[];
  /** Where the next poll goes on, once these events are stored (milliseconds since the epoch). */
  readonly watermarkMs: number;
}

/**
 * A simulated database, a function of its seed and the time: the same stretch of time always holds the same changes, with the
 * same event ids, so that a poll that is repeated (after a crash, or with the watermark reset) gives duplicates, not news.
 */
export interface PolledSource<E> {
  readonly topic: PolledTopic;
  /** How often it is asked. */
  readonly everyMs: number;
  /** What changed after the watermark, up to and including `nowMs`, oldest first; null: all that there is. */
  poll(watermarkMs: number | null, nowMs: number): PolledBatch<E>;
}
