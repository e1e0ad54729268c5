import { rowsOf } from "../rows/row.ts";

const DATES = rowsOf(
  { table: "published", key: ["partition_date"], remedy: "restore it with D1's Time Travel" },
  (row) => row.text("partition_date"),
);

/** Dates of a range, both ends included; every one; or the newest. */
export type DateRange = { readonly from: string; readonly to: string } | "all" | "latest";

/** The published partitions of a table in a range of dates, ascending: `limit` of them at the most, the newest. */
export async function publishedDates(
  db: D1Database,
  table: string,
  range: DateRange,
  limit: number,
): Promise<string[]> {
  const { from, to } = typeof range === "string" ? { from: "0000-01-01", to: "9999-12-31" } : range;
  const dates = await DATES.all(
    db
      .prepare(
        `SELECT partition_date FROM published WHERE table_name = ?1 AND partition_date BETWEEN ?2 AND ?3
         ORDER BY partition_date DESC LIMIT ?4`,
      )
      .bind(table, from, to, range === "latest" ? 1 : limit),
  );
  return dates.toReversed();
}
