/** Whether an event waits in the buffer: for a trace, so that what was accepted a moment ago is found before it is in bronze. */
import type { Contract } from "../../contracts/contract.ts";
import { indexesOf } from "../../lakehouse/lookups/trace/frame-events.ts";
import { readFrames } from "../../schemas/packed-block.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import type { BufferedEvent } from "../stubs.ts";

/** Blocks that no registered file has, in the order of their appending. */
export interface UnregisteredBlocks {
  unregisteredBlocks(): Iterable<{ readonly bytes: Uint8Array; readonly appendedAt: number }>;
}

/** More copies than this nobody needs to see. */
const MAX_FOUND = 100;

/** The events whose `column` is `text`. */
export function findBuffered(
  store: UnregisteredBlocks,
  contract: Contract,
  column: string,
  text: string,
): BufferedEvent[] {
  const found: BufferedEvent[] = [];
  for (const { bytes, appendedAt } of store.unregisteredBlocks()) {
    for (const frame of readFrames(bytes)) {
      for (const index of indexesOf(contract, frame, column, text)) {
        found.push({
          message_id: frame.header.message_id,
          event_index: index,
          received: formatTimestamp(frame.header.received),
          // A block has the time of its first events: later ones came after it, and after they were received.
          buffered_since: new Date(Math.max(appendedAt, Math.floor(frame.header.received / 1_000))).toISOString(),
        });
        if (found.length >= MAX_FOUND) return found;
      }
    }
  }
  return found;
}
