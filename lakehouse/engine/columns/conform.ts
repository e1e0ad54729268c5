/**
 * Rows of an older file in the columns of today's table: what a file lacks is the field's default, else null; numbers
 * become as wide as they are today.
 */

import { createColumnBuilder } from "./builder.ts";
import type { Batch, Column, ColumnType, Field } from "./column.ts";
import { sameType, typeName } from "./column-kind.ts";
import { columnNamed } from "./named-columns.ts";
import { pushValue } from "./push-value.ts";

/** A column of a file is none that the table's could be read from. */
export class ColumnMismatchError extends Error {
  override readonly name = "ColumnMismatchError";
}

/**
 * Throws a ColumnMismatchError when a file with the columns `own` lacks one that has a value in every row of the table, and no default:
 * no file of an older schema does.
 */
export function requireColumns(own: readonly string[], fields: readonly Field[]): void {
  for (const { name, nullable, initialDefault } of fields) {
    if (nullable || initialDefault !== undefined || own.includes(name)) continue;
    throw new ColumnMismatchError(`column ${name} is not in it, and the table has a value there in every row`);
  }
}

/** The batch in exactly `fields`, nested fields included. Columns that `fields` does not name are left out. Throws a ColumnMismatchError for a column of another type. */
export function conform(batch: Batch, fields: readonly Field[]): Batch {
  const columns = fields.map((field) => {
    const own = columnNamed(batch, field.name);
    return own === undefined ? absentColumn(field, batch.length) : conformColumn(own, field.type, field.name);
  });
  return { fields, columns, length: batch.length };
}

function conformColumn(column: Column, wanted: ColumnType, path: string): Column {
  if (column.kind === "list" && wanted.kind === "list")
    return { ...column, type: wanted, item: conformColumn(column.item, wanted.item.type, `${path}[]`) };
  if (column.kind !== "struct" || wanted.kind !== "struct" || column.type.kind !== "struct")
    return widened(column, wanted, path);
  const own = column.type.fields;
  const fields = wanted.fields.map((field) => {
    const child = columnNamed({ fields: own, columns: column.fields }, field.name);
    return child === undefined
      ? absentColumn(field, column.length)
      : conformColumn(child, field.type, `${path}.${field.name}`);
  });
  return { ...column, type: wanted, fields };
}

function widened(column: Column, wanted: ColumnType, path: string): Column {
  const { length, nulls } = column;
  if (column.type.kind === "int32" && column.kind === "int32") {
    if (wanted.kind === "int64")
      return { kind: "int64", type: wanted, length, nulls, values: BigInt64Array.from(column.values, BigInt) };
    if (wanted.kind === "float64")
      return { kind: "float64", type: wanted, length, nulls, values: Float64Array.from(column.values) };
  }
  if (column.type.kind === "int64" && column.kind === "int64" && wanted.kind === "float64")
    return { kind: "float64", type: wanted, length, nulls, values: Float64Array.from(column.values, Number) };
  if (sameType(column.type, wanted)) return column;
  throw new ColumnMismatchError(
    `column ${path} is ${typeName(column.type)} in it, and ${typeName(wanted)} in the table`,
  );
}

function absentColumn(field: Field, length: number): Column {
  const builder = createColumnBuilder(field.type);
  const value = field.initialDefault ?? null;
  for (let i = 0; i < length; i++) pushValue(builder, value);
  return builder.finish();
}
