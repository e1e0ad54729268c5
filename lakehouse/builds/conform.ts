/** Rows of an older file in the columns of today's table: schemas only ever add optional fields, so what a file lacks is null. */
import { createColumnBuilder } from "../columns/builder.ts";
import type { Batch, Column, ColumnType, Field } from "../columns/column.ts";

/** The batch in exactly `fields`, nested fields included. Columns that `fields` does not name are left out. */
export function conform(batch: Batch, fields: readonly Field[]): Batch {
  const columns = fields.map((field) => {
    const own = batch.columns[batch.fields.findIndex(({ name }) => name === field.name)];
    return own === undefined ? nullColumn(field.type, batch.length) : conformColumn(own, field.type);
  });
  return { fields, columns, length: batch.length };
}

/** No rows of these fields. */
export function emptyBatch(fields: readonly Field[]): Batch {
  return { fields, columns: fields.map((field) => nullColumn(field.type, 0)), length: 0 };
}

function conformColumn(column: Column, wanted: ColumnType): Column {
  if (column.kind === "list" && wanted.kind === "list")
    return { ...column, type: wanted, item: conformColumn(column.item, wanted.item.type) };
  if (column.kind !== "struct" || wanted.kind !== "struct" || column.type.kind !== "struct") return column;
  const own = column.type.fields;
  const fields = wanted.fields.map((field) => {
    const child = column.fields[own.findIndex(({ name }) => name === field.name)];
    return child === undefined ? nullColumn(field.type, column.length) : conformColumn(child, field.type);
  });
  return { ...column, type: wanted, fields };
}

function nullColumn(type: ColumnType, length: number): Column {
  const builder = createColumnBuilder(type);
  for (let i = 0; i < length; i++) builder.pushNull();
  return builder.finish();
}
