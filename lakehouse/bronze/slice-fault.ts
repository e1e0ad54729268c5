/** Whether a slice's bytes are the events that its header claims: asked once a flush could not be made of them. */
import type { Contract } from "../../contracts/contract.ts";
import type { Frame } from "../../schemas/packed-block.ts";
import type { Column } from "../engine/columns/column.ts";
import { decodeRuns } from "./decode.ts";
import { scanBlocks } from "./scan.ts";
import { UnknownSchemaError } from "./unknown-schema.ts";

/**
 * Why this slice can never be written, in words without values of events; null if it can. Judged alone, so that memory which was
 * short for a whole flush is no fault of a slice. Throws `UnknownSchemaError`: then nobody knows until a deploy has the schema.
 */
export function sliceFault(contract: Contract, frame: Frame): string | null {
  const what = `${frame.events.byteLength} bytes, ${frame.slice.count} events of schema ${frame.header.schema_id}`;
  const block = { count: 1, read: () => frame.bytes };
  try {
    const { runs, days } = scanBlocks(contract, block);
    for (const batch of decodeRuns(contract, block, runs, new Set(days.keys()), Number.POSITIVE_INFINITY)) {
      const bad = batch.columns.findIndex((column) => !isText(column));
      if (bad >= 0) return `${what}: ${batch.fields[bad]?.name ?? ""} is not UTF-8`;
    }
    return null;
  } catch (error) {
    if (error instanceof UnknownSchemaError) throw error;
    return `${what}: they do not decode (${error instanceof Error ? error.name : "no error"})`;
  }
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
