import type { Batch, Column, Value } from "./column.ts";

export type { Value } from "./column.ts";

/** A byte order mark at the start of a value is part of the value. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Row `index` of a column. For checks, tests and error texts: kernels read the arrays. Throws a RangeError when there is no such
 * row, a TypeError when the bytes of a `utf8` value are not UTF-8.
 */
export function valueAt(column: Column, index: number): Value {
  if (!(index >= 0 && index < column.length)) throw new RangeError(`row ${index} of a column of ${column.length}`);
  if (column.nulls?.[index] === 1) return null;
  // The row exists, so its slots do: the `!` below are true.
  switch (column.kind) {
    case "bool":
      return column.values[index] === 1;
    case "int32":
    case "float64":
      return column.values[index]!;
    case "int64": {
      const value = column.values[index]!;
      return column.type.kind === "decimal" ? decimalText(value, column.type.scale) : value;
    }
    case "int128": {
      const unscaled = (column.values[2 * index + 1]! << 64n) | BigInt.asUintN(64, column.values[2 * index]!);
      return decimalText(unscaled, column.type.kind === "decimal" ? column.type.scale : 0);
    }
    case "bytes": {
      const bytes = column.bytes.slice(column.offsets[index]!, column.offsets[index + 1]!);
      return column.type.kind === "utf8" ? decoder.decode(bytes) : bytes;
    }
    case "list": {
      const items: Value[] = [];
      const end = column.offsets[index + 1]!;
      for (let i = column.offsets[index]!; i < end; i++) items.push(valueAt(column.item, i));
      return items;
    }
    case "struct": {
      const { type } = column;
      const fields = type.kind === "struct" ? type.fields : [];
      return Object.fromEntries(fields.map((field, i) => [field.name, valueAt(column.fields[i]!, index)]));
    }
  }
}

/** Row `index` of a batch, by field name (see `valueAt`). */
export function rowAt(batch: Batch, index: number): { readonly [name: string]: Value } {
  // A batch has one column per field.
  return Object.fromEntries(batch.fields.map((field, i) => [field.name, valueAt(batch.columns[i]!, index)]));
}

/** `unscaled / 10^scale` in decimal notation, with exactly `scale` digits after the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}
