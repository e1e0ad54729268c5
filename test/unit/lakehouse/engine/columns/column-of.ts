import {
  type ColumnBuilder,
  createColumnBuilder,
  finishBatch,
} from "../../../../../lakehouse/engine/columns/builder.ts";
import type { Batch, Column, ColumnType, Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { rowAt, type Value, valueAt } from "../../../../../lakehouse/engine/columns/value.ts";

/** A column of values in the forms that `valueAt` gives. */
export function columnOf(type: ColumnType, values: readonly Value[]): Column {
  const builder = createColumnBuilder(type);
  for (const value of values) pushValue(builder, value);
  return builder.finish();
}

/** A batch of rows in the form that `rowAt` gives; a missing name is null. */
export function batchOf(fields: readonly Field[], rows: readonly Readonly<Record<string, Value>>[]): Batch {
  const builders = fields.map((field) => createColumnBuilder(field.type));
  for (const row of rows) {
    fields.forEach((field, i) => {
      const builder = builders[i];
      if (builder !== undefined) pushValue(builder, row[field.name] ?? null);
    });
  }
  return finishBatch(fields, builders);
}

export function valuesOf(column: Column): Value[] {
  return Array.from({ length: column.length }, (_, i) => valueAt(column, i));
}

export function rowsOf(batches: Iterable<Batch>): Readonly<Record<string, Value>>[] {
  return [...batches].flatMap((batch) => Array.from({ length: batch.length }, (_, i) => rowAt(batch, i)));
}

export function pushValue(builder: ColumnBuilder, value: Value): void {
  if (value === null) {
    builder.pushNull();
    return;
  }
  const wrong = () => new TypeError(`${String(value)} in a column of ${builder.type.kind}`);
  switch (builder.kind) {
    case "bool":
      if (typeof value !== "boolean") throw wrong();
      builder.push(value);
      break;
    case "int32":
    case "float64":
      if (typeof value !== "number") throw wrong();
      builder.push(value);
      break;
    case "int64":
    case "int128":
      if (typeof value === "bigint") builder.push(value);
      else if (typeof value === "string") builder.push(BigInt(value.replace(".", "")));
      else throw wrong();
      break;
    case "bytes":
      if (typeof value === "string") builder.pushString(value);
      else if (value instanceof Uint8Array) builder.pushBytes(value);
      else throw wrong();
      break;
    case "list":
      if (!Array.isArray(value)) throw wrong();
      for (const item of value) pushValue(builder.item, item);
      builder.endRow();
      break;
    case "struct": {
      if (typeof value !== "object" || builder.type.kind !== "struct") throw wrong();
      const entries = new Map<string, Value>(Object.entries(value));
      builder.type.fields.forEach((field, i) => {
        const child = builder.fields[i];
        if (child !== undefined) pushValue(child, entries.get(field.name) ?? null);
      });
      builder.endRow();
    }
  }
}

/** All that an asynchronous iterable gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}
