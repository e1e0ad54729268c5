/** Batches of events as one list, with the bytes that a dead letter of each would keep. */
import type { EventBatch } from "../../gateway/bodies/event-batch.ts";
import { isExtreme } from "../../schemas/exact-json.ts";

export interface ReadEvent {
  readonly event: unknown;
  readonly fault: string | null;
  readonly offset: number;
  /** The payload as text, or as base64 where it is none. */
  readonly payload: string;
  readonly text: boolean;
  readonly schemaVersion: number | null;
}

export async function readAll(batches: AsyncIterable<EventBatch> | Iterable<EventBatch>): Promise<ReadEvent[]> {
  const read: ReadEvent[] = [];
  for await (const batch of batches) {
    batch.events.forEach((parsed, index) => {
      // As for admission, which reads such an event again.
      if (isExtreme(parsed)) batch.reread(index);
      const event = batch.events[index];
      const { offset, bytes, text } = batch.payloadOf(index);
      const fault = batch.faults.get(index);
      read.push({
        event,
        fault: fault === undefined ? null : `${fault.error_type}: ${fault.detail}`,
        offset,
        payload: Buffer.from(bytes).toString(text ? "utf8" : "base64"),
        text,
        schemaVersion: batch.schemaVersion,
      });
    });
  }
  return read;
}

/** The bytes in pieces of these sizes, round and round; a size of 0 is one of 1. */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, piece = 0; at < bytes.byteLength; piece++) {
    const size = Math.max(1, sizes[piece % sizes.length] ?? bytes.byteLength);
    // A buffer of its own, as from a network.
    yield bytes.slice(at, at + size);
    at += size;
  }
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
