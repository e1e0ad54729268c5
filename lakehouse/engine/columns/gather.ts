import type { Batch, BytesColumn, Column, ListColumn, Nulls } from "./column.ts";
import { MAX_OFFSET } from "./growth.ts";

export { concatBatches, concatColumns } from "./concat.ts";
export { sliceBatch, sliceColumn } from "./slice.ts";

// Every index lies within the source column (the callers' contract), and a column has length + 1 offsets:
// that is why the `!` on typed-array reads in this file are true.

/**
 * The rows `indices` of a column, in that order, repeats allowed, copied into new arrays. Each index must lie in
 * `[0, column.length)`: that is not checked, since this is the inner loop of filters, sorts and joins.
 */
export function gather(column: Column, indices: Int32Array): Column {
  const length = indices.length;
  const { type } = column;
  const nulls = gatherNulls(column.nulls, indices);
  switch (column.kind) {
    case "bool": {
      const values = new Uint8Array(length);
      for (let i = 0; i < length; i++) values[i] = column.values[indices[i]!]!;
      return { kind: "bool", type, length, nulls, values };
    }
    case "int32": {
      const values = new Int32Array(length);
      for (let i = 0; i < length; i++) values[i] = column.values[indices[i]!]!;
      return { kind: "int32", type, length, nulls, values };
    }
    case "int64":
      return { kind: "int64", type, length, nulls, values: gatherInt64(column.values, indices) };
    case "int128": {
      const values = new BigInt64Array(length * 2);
      for (let i = 0; i < length; i++) {
        const from = indices[i]! * 2;
        values[2 * i] = column.values[from]!;
        values[2 * i + 1] = column.values[from + 1]!;
      }
      return { kind: "int128", type, length, nulls, values };
    }
    case "float64": {
      const values = new Float64Array(length);
      for (let i = 0; i < length; i++) values[i] = column.values[indices[i]!]!;
      return { kind: "float64", type, length, nulls, values };
    }
    case "bytes":
      return gatherBytes(column, indices, nulls);
    case "list":
      return gatherList(column, indices, nulls);
    case "struct":
      return { kind: "struct", type, length, nulls, fields: column.fields.map((field) => gather(field, indices)) };
  }
}

/** The rows `indices` of every column of a batch (see `gather`). */
export function gatherBatch(batch: Batch, indices: Int32Array): Batch {
  return {
    fields: batch.fields,
    columns: batch.columns.map((column) => gather(column, indices)),
    length: indices.length,
  };
}

function gatherNulls(nulls: Nulls, indices: Int32Array): Nulls {
  if (nulls === undefined) return undefined;
  const out = new Uint8Array(indices.length);
  let any = 0;
  for (let i = 0; i < indices.length; i++) {
    const mark = nulls[indices[i]!]!;
    out[i] = mark;
    any |= mark;
  }
  return any === 0 ? undefined : out;
}

/** Copied as 32-bit words: reading a BigInt64Array makes a bigint of each value. */
function gatherInt64(source: BigInt64Array, indices: Int32Array): BigInt64Array {
  const words = new Int32Array(source.buffer, source.byteOffset, source.length * 2);
  const out = new Int32Array(indices.length * 2);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * 2;
    out[2 * i] = words[from]!;
    out[2 * i + 1] = words[from + 1]!;
  }
  return new BigInt64Array(out.buffer);
}

function gatheredOffsets(offsets: Int32Array, indices: Int32Array): Int32Array {
  const out = new Int32Array(indices.length + 1);
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    total += offsets[row + 1]! - offsets[row]!;
    if (total > MAX_OFFSET) throw new RangeError("a column cannot hold 2 GiB, or 2^31 items");
    out[i + 1] = total;
  }
  return out;
}

/** Below this many bytes a loop beats `TypedArray.set`, which needs a temporary view. */
const LOOP_COPY_LIMIT = 48;

/** Rows that follow each other in both are copied at once: of a filter most do. */
function gatherBytes(column: BytesColumn, indices: Int32Array, nulls: Nulls): BytesColumn {
  const { length } = indices;
  const offsets = gatheredOffsets(column.offsets, indices);
  const source = column.bytes;
  const bytes = new Uint8Array(offsets[length]!);
  for (let i = 0; i < length; ) {
    const first = indices[i]!;
    let end = i + 1;
    while (end < length && indices[end] === first + end - i) end++;
    const from = column.offsets[first]!;
    const to = column.offsets[first + end - i]!;
    const at = offsets[i]!;
    if (to - from < LOOP_COPY_LIMIT) for (let n = from; n < to; n++) bytes[at + n - from] = source[n]!;
    else bytes.set(source.subarray(from, to), at);
    i = end;
  }
  return { kind: "bytes", type: column.type, length, nulls, offsets, bytes };
}

function gatherList(column: ListColumn, indices: Int32Array, nulls: Nulls): ListColumn {
  const offsets = gatheredOffsets(column.offsets, indices);
  const items = new Int32Array(offsets[indices.length]!);
  let next = 0;
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    const end = column.offsets[row + 1]!;
    for (let item = column.offsets[row]!; item < end; item++) items[next++] = item;
  }
  return {
    kind: "list",
    type: column.type,
    length: indices.length,
    nulls,
    offsets,
    item: gather(column.item, items),
  };
}
