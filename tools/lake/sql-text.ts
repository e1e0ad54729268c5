/** The SQL that makes the lake's views in DuckDB. */
import type { Field } from "../../lakehouse/engine/columns/column.ts";
import { irTypeOf, sqlName } from "../../lakehouse/engine/ir/ir-types.ts";
import { evolvedRows } from "../../lakehouse/tables/evolved-rows.ts";
import { quoteName, quoteText } from "../../schemas/sql-quoting.ts";

/** A view over exactly these Parquet files, with `fields` even where files are older than they; `none` keeps the columns and no row. */
export function parquetView(
  name: string,
  paths: readonly string[],
  rows: "all" | "none",
  fields: readonly Field[] = [],
): string {
  // The paths hold `column=value` folders, but the columns are in the files, typed.
  const files = `read_parquet([${paths.map(quoteText).join(", ")}], union_by_name = true, hive_partitioning = false)`;
  return `CREATE VIEW ${quoteName(name)} AS SELECT * FROM (${evolvedRows(files, fields)})${rows === "none" ? " WHERE false" : ""}`;
}

/** A view with these columns and no row. */
export function emptyView(name: string, fields: readonly Field[]): string {
  const columns = fields.map((field) => `CAST(NULL AS ${sqlName(irTypeOf(field.type))}) AS ${quoteName(field.name)}`);
  return `CREATE VIEW ${quoteName(name)} AS SELECT ${columns.join(", ")} WHERE false`;
}

/** A table for rows of D1: the types of its STRICT tables. */
export function stateTable(name: string, columns: readonly { name: string; type: string }[]): string {
  const types: Readonly<Record<string, string>> = { INTEGER: "BIGINT", INT: "BIGINT", REAL: "DOUBLE", BLOB: "BLOB" };
  const list = columns.map((column) => `${quoteName(column.name)} ${types[column.type] ?? "VARCHAR"}`);
  return `CREATE TABLE ${quoteName(name)} (${list.join(", ")})`;
}
