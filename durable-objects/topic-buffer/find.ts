/** Whether an event waits in the buffer: for a trace, so that what was accepted a moment ago is found before it is in bronze. */
import type { Contract } from "../../contracts/contract.ts";
import { decodeFrames } from "../../lakehouse/bronze/decode.ts";
import { valueAt } from "../../lakehouse/columns/value.ts";
import { readFrames } from "../../schemas/packed-block.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import type { BufferedEvent } from "../stubs.ts";

/** Blocks that no registered file has, in the order of their appending. */
export interface UnregisteredBlocks {
  unregisteredBlocks(): Iterable<{ readonly bytes: Uint8Array; readonly appendedAt: number }>;
}

/** More copies than this nobody needs to see. */
const MAX_FOUND = 100;

/** The events whose `column` is `text`. Frames without the text's bytes are not decoded, and few others have them. */
export function findBuffered(
  store: UnregisteredBlocks,
  contract: Contract,
  column: string,
  text: string,
): BufferedEvent[] {
  const found: BufferedEvent[] = [];
  for (const { bytes, appendedAt } of store.unregisteredBlocks()) {
    for (const frame of readFrames(bytes)) {
      const { buffer, byteOffset, byteLength } = frame.events;
      if (!Buffer.from(buffer, byteOffset, byteLength).includes(text)) continue;
      const batch = decodeFrames(contract, [frame]);
      const values = batch.columns[batch.fields.findIndex(({ name }) => name === column)];
      const indexes = batch.columns[batch.fields.findIndex(({ name }) => name === "_event")];
      for (let row = 0; row < batch.length; row++) {
        if (values === undefined || indexes === undefined || valueAt(values, row) !== text) continue;
        found.push({
          message_id: frame.header.message_id,
          event_index: Number(valueAt(indexes, row)),
          received: formatTimestamp(frame.header.received),
          buffered_since: new Date(appendedAt).toISOString(),
        });
        if (found.length >= MAX_FOUND) return found;
      }
    }
  }
  return found;
}
