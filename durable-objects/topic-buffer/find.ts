/** Whether an event waits in the buffer: for a trace, so that what was accepted a moment ago is found before it is in bronze. */
import type { Contract } from "../../contracts/contract.ts";
import { decodeRuns } from "../../lakehouse/bronze/decode.ts";
import { scanBlocks } from "../../lakehouse/bronze/scan.ts";
import type { Batch, Column } from "../../lakehouse/columns/column.ts";
import { valueAt } from "../../lakehouse/columns/value.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
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
      for (const index of indexesOf(contract, frame, column, text)) {
        found.push({
          message_id: frame.header.message_id,
          event_index: index,
          received: formatTimestamp(frame.header.received),
          buffered_since: new Date(appendedAt).toISOString(),
        });
        if (found.length >= MAX_FOUND) return found;
      }
    }
  }
  return found;
}

/** The indexes, in their request, of a frame's events whose `column` is `text`. */
function* indexesOf(contract: Contract, frame: Frame, column: string, text: string): Generator<number> {
  const block = { count: 1, read: () => frame.bytes };
  const { runs, days } = scanBlocks(contract, block);
  for (const batch of decodeRuns(contract, block, runs, new Set(days.keys()), Number.POSITIVE_INFINITY)) {
    const [values, indexes] = [columnOf(batch, column), columnOf(batch, "_event")];
    for (let row = 0; row < batch.length; row++) {
      if (valueAt(values, row) === text) yield Number(valueAt(indexes, row));
    }
  }
}

function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[batch.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new TypeError(`bronze has no column ${name}`);
  return column;
}
