/**
 * Freeing the memory of arrays at once. Else it waits for a collection, and V8 makes one for what stands outside of its heap only after
 * some hundred megabytes of it: a step of a build would leave many times what it needs.
 */
import type { Batch, Column } from "./column.ts";

/** Frees the whole buffer of an array. Nothing may read it any more, through whatever view. */
export function release({ buffer }: ArrayBufferView): void {
  // An empty one takes nothing, and a library may share it.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) buffer.transfer(0);
}

/** The same of all arrays of a batch, which shares none with others but those that stand in `kept`. */
export function releaseBatch({ columns }: Pick<Batch, "columns">, kept?: ArrayBufferLike): void {
  for (const column of columns) releaseColumn(column, kept);
}

export function releaseColumn(column: Column, kept?: ArrayBufferLike): void {
  const free = (array: ArrayBufferView | undefined) => {
    if (array !== undefined && array.buffer !== kept) release(array);
  };
  free(column.nulls);
  switch (column.kind) {
    case "bytes":
      free(column.offsets);
      free(column.bytes);
      return;
    case "list":
      free(column.offsets);
      releaseColumn(column.item, kept);
      return;
    case "struct":
      for (const field of column.fields) releaseColumn(field, kept);
      return;
    default:
      free(column.values);
  }
}
