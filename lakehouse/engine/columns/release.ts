/**
 * Freeing the memory of arrays at once. Else it waits for a collection, and V8 makes one for what stands outside of its heap only after
 * some hundred megabytes of it: a step of a build would leave many times what it needs.
 */
import type { Batch, Column } from "./column.ts";

/** Frees the whole buffer of an array. Nothing may read it any more, through whatever view. */
export function release({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same of all arrays of a batch, which shares none with others. */
export function releaseBatch({ columns }: Pick<Batch, "columns">): void {
  for (const column of columns) releaseColumn(column);
}

export function releaseColumn(column: Column): void {
  if (column.nulls !== undefined) release(column.nulls);
  switch (column.kind) {
    case "bytes":
      release(column.offsets);
      release(column.bytes);
      return;
    case "list":
      release(column.offsets);
      releaseColumn(column.item);
      return;
    case "struct":
      for (const field of column.fields) releaseColumn(field);
      return;
    default:
      release(column.values);
  }
}
