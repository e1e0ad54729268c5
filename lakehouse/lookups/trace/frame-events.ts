/** Which events of a frame have an id: of what no file has yet, or what is parked. */

import type { Contract } from "../../../contracts/contract.ts";
import { AvroOutput } from "../../../schemas/avro-output.ts";
import type { Frame } from "../../../schemas/packed-block.ts";
import { decodeRuns } from "../../bronze/decode.ts";
import { scanBlocks } from "../../bronze/scan.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { valueAt } from "../../engine/columns/value.ts";

/**
 * The indexes, in their request, of a frame's events whose `column` is `text`. A frame without the text's bytes is not decoded, and
 * few others have them. [null]: this deploy cannot decode the bytes, and the text stands in them.
 */
export function indexesOf(contract: Contract, frame: Frame, column: string, text: string): readonly (number | null)[] {
  if (!bytesOf(frame).includes(text)) return [];
  try {
    return [...decodedIndexes(contract, frame, column, text)];
  } catch {
    // No events, or of a schema that comes with another deploy: what is wrong is said by flushes and by what is parked.
    return hasText(frame, text) ? [null] : [];
  }
}

function* decodedIndexes(contract: Contract, frame: Frame, column: string, text: string): Generator<number> {
  const block = { count: 1, read: () => frame.bytes };
  const { runs, days } = scanBlocks(contract, block);
  for (const batch of decodeRuns(contract, block, runs, new Set(days.keys()), Number.POSITIVE_INFINITY)) {
    const [values, indexes] = [requireColumn(batch, column), requireColumn(batch, "_event")];
    for (let row = 0; row < batch.length; row++) {
      if (valueAt(values, row) === text) yield Number(valueAt(indexes, row));
    }
  }
}

/** Whether some text of the frame, as Avro has texts (specification, "Binary Encoding"), is this one. */
function hasText(frame: Frame, text: string): boolean {
  const written = new AvroOutput(text.length);
  written.writeString(text);
  return bytesOf(frame).includes(Buffer.from(written.slice(0, written.at)));
}

function bytesOf({ events: { buffer, byteOffset, byteLength } }: Frame): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
