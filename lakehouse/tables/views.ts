/**
 * `<directory>/views.sql`: a DuckDB macro over the live files of a table, `FROM silver_orders('s3://BUCKET')`. A macro takes where the
 * lake is as a parameter and holds the files as a list, so that it works in every connection of the database that it was made in; a
 * table function's files cannot come from a query, so the list is written anew with each commit.
 */
import { evolvedFields } from "../bronze/table.ts";
import type { Field } from "../engine/columns/column.ts";
import type { Table } from "./catalog.ts";
import { evolvedRows, noRows } from "./evolved-rows.ts";

/** What the SQL asks of a table. */
export type ViewedTable = Pick<Table, "name" | "directory" | "partition" | "fields">;

/** Columns that older files of the table lack. */
export function evolvedColumns(table: Table): readonly Field[] {
  return table.kind === "topic" ? evolvedFields(table.contract) : [];
}

/** `files`: R2 keys by date; with `evolved`, older files show these columns too. */
export function viewsSql(
  table: ViewedTable,
  files: ReadonlyMap<string, readonly string[]>,
  evolved: readonly Field[] = [],
): string {
  const { name, directory, partition } = table;
  const dates = [...files].filter(([, keys]) => keys.length > 0);
  const lines = dates.map(
    ([date, keys]) => `  -- ${date}\n${keys.map((key) => `  '${key.slice(directory.length + 1)}'`).join(",\n")}`,
  );
  const list = `[lake || '/${directory}/' || file FOR file IN [\n${lines.join(",\n")}\n]]`;
  // The date of the path has the column's type, so that a filter on it opens only the files that it needs.
  const parquet = `read_parquet(${list}, union_by_name = true, hive_partitioning = true, hive_types = {'${partition}': DATE})`;
  const rows = dates.length === 0 ? noRows(table.fields) : evolvedRows(parquet, evolved);
  return `-- Run this file, and again for what was published since; then: FROM ${name}('s3://YOUR-BUCKET');
-- or, once: CREATE VIEW ${name} AS FROM ${name}('s3://YOUR-BUCKET');
CREATE OR REPLACE MACRO ${name}(lake) AS TABLE
${rows};
`;
}

/** The keys by date that a text of `viewsSql` lists. */
export function filesOfViews(
  { directory, partition }: Pick<ViewedTable, "directory" | "partition">,
  sql: string,
): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const [, path = "", date = ""] of sql.matchAll(
    new RegExp(`^ {2}'(${partition}=(\\d{4}-\\d\\d-\\d\\d)/[^']*)',?$`, "gm"),
  )) {
    const keys = files.get(date) ?? [];
    keys.push(`${directory}/${path}`);
    files.set(date, keys);
  }
  return files;
}
