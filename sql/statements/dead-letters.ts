/** Where the rows of a topic's partition can be read now: its published silver, and the bronze files that silver does not hold yet. */

import { rowsOf, textsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

const DATES = textsOf({ table: "partition_inputs", remedy: "restore it with D1's Time Travel" }, "partition_date");

/** Rows [first_row, first_row + rows) of a Parquet object. */
export interface RowSource {
  /** R2 key. */
  readonly file: string;
  readonly bytes: number;
  readonly first_row: number;
  readonly rows: number;
  /** When the earliest and the latest of the file's events were received, ISO 8601 UTC; null: some time of the partition's date. */
  readonly min_received: string | null;
  readonly max_received: string | null;
}

const ROW_SOURCES = rowsOf(
  { table: "bronze_files", key: ["file"], remedy: "restore it with D1's Time Travel" },
  (row): RowSource => ({
    file: row.text("file"),
    bytes: row.integer("bytes"),
    first_row: row.integer("first_row"),
    rows: row.integer("rows"),
    min_received: row.timeOrNull("min_received"),
    max_received: row.timeOrNull("max_received"),
  }),
);

/** The dates in [from, to] for which a topic has any row, ascending. */
export async function datesWithRows(db: D1Database, topic: string, from: string, to: string): Promise<string[]> {
  return await DATES.all(
    db
      .prepare(
        "SELECT partition_date FROM partition_inputs WHERE domain = ? AND partition_date BETWEEN ? AND ? ORDER BY partition_date",
      )
      .bind(topic, from, to),
  );
}

/** Every row of a topic's date at least once: `table` is its silver. Two statements in one batch, so both see the same snapshot. */
export async function rowSources(db: D1Database, topic: string, table: string, date: string): Promise<RowSource[]> {
  const silver = db
    .prepare(
      `SELECT f.file, f.bytes, 0 AS first_row, f.rows, NULL AS min_received, NULL AS max_received
         FROM published p JOIN snapshot_files f USING (snapshot_id)
        WHERE p.table_name = ?1 AND p.partition_date = ?2 ORDER BY f.file`,
    )
    .bind(table, date);
  const bronze = db
    .prepare(
      `SELECT d.file, b.bytes, d.first_row, d.rows, b.min_received, b.max_received
         FROM bronze_file_dates d JOIN bronze_files b USING (file)
        WHERE d.topic = ?1 AND d.partition_date = ?2 AND b.retired_by IS NULL
          AND d.file NOT IN (
            SELECT value ->> 'file'
              FROM json_each(coalesce((SELECT s.inputs FROM published p JOIN snapshots s USING (snapshot_id)
                                        WHERE p.table_name = ?3 AND p.partition_date = ?2), '[]'))
             WHERE value ->> 'file' IS NOT NULL)
        ORDER BY d.file`,
    )
    .bind(topic, date, table);
  const results = await db.batch<RowValues>([silver, bronze]);
  return results.flatMap((result) => ROW_SOURCES.in(result));
}
