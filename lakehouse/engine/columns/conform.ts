/**
 * Rows of an older file in the columns of today's table: what a file lacks is the field's default, else null; numbers
 * become as wide as they are today.
 */

import { createColumnBuilder } from "./builder.ts";
import type { Batch, Column, ColumnType, Field } from "./column.ts";
import { columnNamed } from "./named-columns.ts";
import { pushValue } from "./push-value.ts";

/** The batch in exactly `fields`, nested fields included. Columns that `fields` does not name are left out. */
export function conform(batch: Batch, fields: readonly Field[]): Batch {
  const columns = fields.map((field) => {
    const own = columnNamed(batch, field.name);
    return own === undefined ? absentColumn(field, batch.length) : conformColumn(own, field.type);
  });
  return { fields, columns, length: batch.length };
}

function conformColumn(column: Column, wanted: ColumnType): Column {
  if (column.kind === "list" && wanted.kind === "list")
    return { ...column, type: wanted, item: conformColumn(column.item, wanted.item.type) };
  if (column.kind !== "struct" || wanted.kind !== "struct" || column.type.kind !== "struct")
    return widened(column, wanted);
  const own = column.type.fields;
  const fields = wanted.fields.map((field) => {
    const child = columnNamed({ fields: own, columns: column.fields }, field.name);
    return child === undefined ? absentColumn(field, column.length) : conformColumn(child, field.type);
  });
  return { ...column, type: wanted, fields };
}

function widened(column: Column, wanted: ColumnType): Column {
  const { length, nulls } = column;
  if (column.type.kind === "int32" && column.kind === "int32") {
    if (wanted.kind === "int64")
      return { kind: "int64", type: wanted, length, nulls, values: BigInt64Array.from(column.values, BigInt) };
    if (wanted.kind === "float64")
      return { kind: "float64", type: wanted, length, nulls, values: Float64Array.from(column.values) };
  }
  if (column.type.kind === "int64" && column.kind === "int64" && wanted.kind === "float64")
    return { kind: "float64", type: wanted, length, nulls, values: Float64Array.from(column.values, Number) };
  return column;
}

function absentColumn(field: Field, length: number): Column {
  const builder = createColumnBuilder(field.type);
  const value = field.initialDefault ?? null;
  for (let i = 0; i < length; i++) pushValue(builder, value);
  return builder.finish();
}
