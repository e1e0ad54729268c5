/** The rows of a topic's partition that can be read now: the bronze files that its published silver does not hold yet. */

import { rowsOf, textsOf } from "../rows/row.ts";

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
    bytes: row.count("bytes"),
    first_row: row.count("first_row"),
    rows: row.count("rows"),
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

/** The live bronze files of a topic's date with a row that no build up to registration `seen` had, by key. */
export async function bronzeBehind(db: D1Database, topic: string, date: string, seen: number): Promise<RowSource[]> {
  return await ROW_SOURCES.all(
    db
      .prepare(
        `SELECT d.file, b.bytes, d.first_row, d.rows, b.min_received, b.max_received
         FROM bronze_file_dates d JOIN bronze_files b USING (file)
        WHERE d.topic = ?1 AND d.partition_date = ?2 AND b.retired_by IS NULL
          AND (b.registration > ?3 OR b.registration IS NULL AND EXISTS (
            SELECT 1 FROM bronze_file_dates e JOIN bronze_files f USING (file)
             WHERE e.topic = ?1 AND e.partition_date = ?2 AND f.retired_by = d.file AND f.registration > ?3))
        ORDER BY d.file`,
      )
      .bind(topic, date, seen),
  );
}
