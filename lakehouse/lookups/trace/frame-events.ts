/** Which events of a frame have an id: of what no file has yet, or what is parked. */
import type { Contract } from "../../../contracts/contract.ts";
import type { Frame } from "../../../schemas/packed-block.ts";
import { decodeRuns } from "../../bronze/decode.ts";
import { scanBlocks } from "../../bronze/scan.ts";
import type { Batch, Column } from "../../engine/columns/column.ts";
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
    const [values, indexes] = [columnOf(batch, column), columnOf(batch, "_event")];
    for (let row = 0; row < batch.length; row++) {
      if (valueAt(values, row) === text) yield Number(valueAt(indexes, row));
    }
  }
}

/** Whether some text of the frame, as Avro has texts (specification, "Binary Encoding"), is this one. */
function hasText(frame: Frame, text: string): boolean {
  const bytes = Buffer.from(text);
  return bytesOf(frame).includes(Buffer.concat([zigzagLength(bytes.byteLength), bytes]));
}

function zigzagLength(length: number): Buffer {
  const groups: number[] = [];
  for (let rest = length * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...groups, rest]);
    groups.push((rest % 128) + 128);
  }
}

function bytesOf({ events: { buffer, byteOffset, byteLength } }: Frame): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[batch.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new TypeError(`bronze has no column ${name}`);
  return column;
}
