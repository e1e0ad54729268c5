import type { Batch, BytesColumn, Column, ListColumn, Nulls } from "./column.ts";
import { requireKind } from "./column-kind.ts";
import { MAX_OFFSET } from "./growth.ts";
import { sliceColumn } from "./slice.ts";

/**
 * The rows of columns of one type, one after another, in new arrays (a single column is returned as it is). Throws a TypeError
 * when the layouts differ, a RangeError when there is no column or the result would pass Arrow's 32-bit offsets.
 */
export function concatColumns(columns: readonly Column[]): Column {
  const first = columns[0];
  if (first === undefined) throw new RangeError("no column to concatenate: the type would be unknown");
  if (columns.length === 1) return first;
  const { type } = first;
  const length = columns.reduce((total, column) => total + column.length, 0);
  const nulls = concatNulls(columns, length);
  switch (first.kind) {
    case "bool":
      return {
        kind: "bool",
        type,
        length,
        nulls,
        values: join(
          new Uint8Array(length),
          columns.map((column) => requireKind(column, "bool").values),
        ),
      };
    case "int32":
      return {
        kind: "int32",
        type,
        length,
        nulls,
        values: join(
          new Int32Array(length),
          columns.map((column) => requireKind(column, "int32").values),
        ),
      };
    case "int64":
      return {
        kind: "int64",
        type,
        length,
        nulls,
        values: join(
          new BigInt64Array(length),
          columns.map((column) => requireKind(column, "int64").values),
        ),
      };
    case "int128":
      return {
        kind: "int128",
        type,
        length,
        nulls,
        values: join(
          new BigInt64Array(length * 2),
          columns.map((column) => requireKind(column, "int128").values),
        ),
      };
    case "float64":
      return {
        kind: "float64",
        type,
        length,
        nulls,
        values: join(
          new Float64Array(length),
          columns.map((column) => requireKind(column, "float64").values),
        ),
      };
    case "bytes": {
      const parts = columns.map((column) => requireKind(column, "bytes"));
      const offsets = concatOffsets(parts, length);
      // A column has length + 1 offsets, here and below.
      const bytes = new Uint8Array(offsets[length]!);
      let at = 0;
      for (const part of parts) {
        const used = part.bytes.subarray(part.offsets[0]!, part.offsets[part.length]!);
        bytes.set(used, at);
        at += used.length;
      }
      return { kind: "bytes", type, length, nulls, offsets, bytes };
    }
    case "list": {
      const parts = columns.map((column) => requireKind(column, "list"));
      const items = parts.map((part) => sliceColumn(part.item, part.offsets[0]!, part.offsets[part.length]!));
      return { kind: "list", type, length, nulls, offsets: concatOffsets(parts, length), item: concatColumns(items) };
    }
    case "struct": {
      const parts = columns.map((column) => requireKind(column, "struct"));
      const fields = first.fields.map((_, i) =>
        concatColumns(
          parts.map((part) => {
            const field = part.fields[i];
            if (field === undefined || part.fields.length !== first.fields.length) {
              throw new TypeError(`structs of ${first.fields.length} and ${part.fields.length} fields`);
            }
            return field;
          }),
        ),
      );
      return { kind: "struct", type, length, nulls, fields };
    }
  }
}

/** The rows of batches of the same fields, one after another. Throws a RangeError when there is no batch, a TypeError when the fields' names differ. */
export function concatBatches(batches: readonly Batch[]): Batch {
  const first = batches[0];
  if (first === undefined) throw new RangeError("no batch to concatenate: the fields would be unknown");
  const names = JSON.stringify(first.fields.map((field) => field.name));
  for (const batch of batches) {
    const other = JSON.stringify(batch.fields.map((field) => field.name));
    if (other !== names) throw new TypeError(`batches with fields ${names} and ${other}`);
  }
  return {
    fields: first.fields,
    // Equal names, hence equally many columns.
    columns: first.columns.map((_, i) => concatColumns(batches.map((batch) => batch.columns[i]!))),
    length: batches.reduce((total, batch) => total + batch.length, 0),
  };
}

function concatNulls(columns: readonly Column[], length: number): Nulls {
  if (columns.every((column) => column.nulls === undefined)) return undefined;
  const nulls = new Uint8Array(length);
  let at = 0;
  for (const column of columns) {
    if (column.nulls !== undefined) nulls.set(column.nulls, at);
    at += column.length;
  }
  return nulls;
}

interface Settable<V> {
  set(values: V, at: number): void;
  readonly length: number;
}

/** Copies `parts` into `out`, one after another; their lengths add up to its length. */
function join<V extends Settable<V>>(out: V, parts: readonly V[]): V {
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function concatOffsets(parts: readonly (BytesColumn | ListColumn)[], length: number): Int32Array {
  const offsets = new Int32Array(length + 1);
  let row = 0;
  let end = 0;
  for (const part of parts) {
    const shift = end - part.offsets[0]!;
    for (let i = 1; i <= part.length; i++) offsets[row + i] = part.offsets[i]! + shift;
    row += part.length;
    end += part.offsets[part.length]! - part.offsets[0]!;
    if (end > MAX_OFFSET) throw new RangeError("a column cannot hold 2 GiB, or 2^31 items");
  }
  return offsets;
}
