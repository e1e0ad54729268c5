/** Published partitions of which some checks wait for the closing. */
import { rowsOf } from "../rows/row.ts";

export interface AwaitedClosing {
  readonly domain: string;
  readonly partition_date: string;
  readonly status: string;
  readonly version: number;
  readonly built_version: number;
  readonly awaits_closing: boolean;
  /** D1's clock when the row was read, in milliseconds since the epoch. */
  readonly now: number;
}

const AWAITED = rowsOf(
  {
    table: "partition_leases",
    key: ["domain", "partition_date"],
    remedy: "set awaits_closing to 0: the partition's next build sets it right",
  },
  (row): AwaitedClosing => ({
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    status: row.text("status"),
    version: row.integer("version"),
    built_version: row.integer("built_version"),
    awaits_closing: row.flag("awaits_closing"),
    now: row.integer("now"),
  }),
);

/** The newest dates first, at most `limit`. `domains`, `date`: null for all. */
export async function awaitedClosings(
  db: D1Database,
  { domains, date }: { readonly domains: readonly string[] | null; readonly date: string | null },
  limit: number,
): Promise<AwaitedClosing[]> {
  return await AWAITED.all(
    db
      .prepare(
        `SELECT l.domain, l.partition_date, m.status, coalesce(i.version, 0) AS version, coalesce(i.built_version, 0) AS built_version,
           l.awaits_closing, CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now
         FROM partition_leases l INDEXED BY partition_leases_awaiting JOIN partition_meta m USING (domain, partition_date)
         LEFT JOIN partition_inputs i USING (domain, partition_date)
         WHERE l.awaits_closing = 1 AND (?1 IS NULL OR l.domain IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR l.partition_date = ?2)
         ORDER BY l.partition_date DESC, l.domain LIMIT ?3`,
      )
      .bind(domains === null ? null : JSON.stringify(domains), date, limit),
  );
}
