/** Whether a slice's bytes are the events that its header claims: asked once a flush could not be made of them. */
import type { Contract } from "../../contracts/contract.ts";
import type { Frame } from "../../schemas/packed-block.ts";
import type { Batch, Column } from "../columns/column.ts";
import { decodeFrames, UnknownSchemaError } from "./decode.ts";

/** Years 1 to 9999: what has a four-digit year in a path. */
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;

/**
 * Why this slice can never be written, in words without values of events; null if it can. Judged alone, so that memory which was
 * short for a whole flush is no fault of a slice. Throws `UnknownSchemaError`: then nobody knows until a deploy has the schema.
 */
export function sliceFault(contract: Contract, frame: Frame): string | null {
  const what = `${frame.events.byteLength} bytes, ${frame.slice.count} events of schema ${frame.header.schema_id}`;
  let batch: Batch;
  try {
    batch = decodeFrames(contract, [frame]);
  } catch (error) {
    if (error instanceof UnknownSchemaError) throw error;
    return `${what}: they do not decode (${error instanceof Error ? error.name : "no error"})`;
  }
  for (const [i, column] of batch.columns.entries()) {
    const name = batch.fields[i]?.name ?? "";
    if (name === contract.partition.column && column.kind === "int32") {
      if (column.values.some((day) => day < FIRST_DAY || day > LAST_DAY)) return `${what}: ${name} is no date`;
    }
    if (!isText(column)) return `${what}: ${name} is not UTF-8`;
  }
  return null;
}

function isText(column: Column): boolean {
  switch (column.kind) {
    case "bytes": {
      if (column.type.kind !== "utf8") return true;
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      try {
        for (let row = 0; row < column.length; row++) {
          decoder.decode(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]));
        }
        return true;
      } catch {
        return false;
      }
    }
    case "list":
      return isText(column.item);
    case "struct":
      return column.fields.every(isText);
    default:
      return true;
  }
}
