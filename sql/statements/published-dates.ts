import { rowsOf, textsOf } from "../rows/row.ts";

const DATES = rowsOf(
  { table: "published", key: ["partition_date"], remedy: "restore it with D1's Time Travel" },
  (row) => row.text("partition_date"),
);

/** Dates of a range, both ends included; every one; or the newest. */
export type DateRange = { readonly from: string; readonly to: string } | "all" | "latest";

/** What a partition spans. */
export type PartitionGrain = "day" | "week" | "month" | "one";

/**
 * An SQL condition: a table of that grain can have rows at that date. Where its model had another grain before, the partitions of then
 * are empty, and the newest of them is not the newest of the table.
 */
export function isDateOf(grain: string, date: string): string {
  return `CASE ${grain} WHEN 'week' THEN strftime('%w', ${date}) = '1' WHEN 'month' THEN substr(${date}, 9) = '01'
    WHEN 'one' THEN ${date} = '1970-01-01' ELSE 1 END`;
}

/** The published partitions of a table of that grain in a range of dates, ascending: `limit` of them at the most, the newest. */
export async function publishedDates(
  db: D1Database,
  { table, grain }: { readonly table: string; readonly grain: PartitionGrain },
  range: DateRange,
  limit: number,
): Promise<string[]> {
  const { from, to } = typeof range === "string" ? { from: "0000-01-01", to: "9999-12-31" } : range;
  const dates = await DATES.all(
    db
      .prepare(
        `SELECT partition_date FROM published WHERE table_name = ?1 AND partition_date BETWEEN ?2 AND ?3
           AND ${isDateOf("?5", "partition_date")} ORDER BY partition_date DESC LIMIT ?4`,
      )
      .bind(table, from, to, range === "latest" ? 1 : limit, grain),
  );
  return dates.toReversed();
}

/** The newest date that the table had as of a version; null: it had none. */
export async function newestDateAsOf(
  db: D1Database,
  { table, grain }: { readonly table: string; readonly grain: PartitionGrain },
  version: number,
): Promise<string | null> {
  return await AS_OF.first(
    db
      .prepare(
        `SELECT partition_date FROM versions WHERE table_name = ?1 AND version <= ?2 AND ${isDateOf("?3", "partition_date")}
         ORDER BY partition_date DESC LIMIT 1`,
      )
      .bind(table, version, grain),
  );
}

const AS_OF = textsOf({ table: "versions", remedy: "build the partition again" }, "partition_date");
