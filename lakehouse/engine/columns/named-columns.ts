/** Columns of a batch by their names. */
import type { Batch, Column } from "./column.ts";

type Columns = Pick<Batch, "fields" | "columns">;

/** undefined: the rows have no such column. */
export function columnNamed({ fields, columns }: Columns, name: string): Column | undefined {
  return columns[fields.findIndex((field) => field.name === name)];
}

/** Throws a RangeError when the rows have no such column. */
export function requireColumn(rows: Columns, name: string): Column {
  const column = columnNamed(rows, name);
  if (column === undefined) throw new RangeError(`the rows have no column ${name}`);
  return column;
}
