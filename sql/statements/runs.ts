/** The rows of `ended_runs`: what became of each run. One that has not ended is its partition's lease, and nothing else. */

import { rowsOf } from "../rows/row.ts";
import type { RowValues } from "../rows/row-error.ts";

/** As nonce of a lease: a compaction has it (`table-compaction.ts`). No message has it, so that none takes the lease over. */
export const COMPACTION = "compaction";

/** What a status leaves null unless it is given: parameters of the statement. */
interface RunEnd {
  readonly rows_in?: `?${number}`;
  readonly rows_out?: `?${number}`;
  readonly error_message?: `?${number}`;
  readonly checks?: `?${number}`;
}

/**
 * An INSERT of the end of the run that holds the lease `l` of domain ?1 and date ?2, to be followed by ` AND` and what else must
 * hold of the lease. It comes before what frees the lease.
 */
export function endRun(status: "DONE" | "FAILED" | "LOST", end: RunEnd = {}): string {
  const { rows_in = "NULL", rows_out = "NULL", error_message = "NULL", checks = "NULL" } = end;
  const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
  return `INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks, kind)
    SELECT l.domain, l.partition_date, l.run_id, l.fence, '${status}', coalesce(l.started_at, ${now}), ${now}, ${rows_in}, ${rows_out}, ${error_message}, ${checks},
      iif(l.nonce = '${COMPACTION}', 'compaction', 'build')
    FROM partition_leases l WHERE l.domain = ?1 AND l.partition_date = ?2`;
}

/** Where a run stands among all that ended. */
export interface EndedRun {
  readonly finished_at: string;
  readonly domain: string;
  readonly partition_date: string;
  readonly run_id: string;
}

const ENDED_RUNS = rowsOf(
  { table: "ended_runs", key: ["domain", "partition_date", "run_id"], remedy: "delete the row" },
  (row): EndedRun => ({
    finished_at: row.text("finished_at"),
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    run_id: row.text("run_id"),
  }),
);

/**
 * Drops runs that ended before `endedBefore` (ISO 8601), but for the last of each partition that ended as it did: of the `limit` rows
 * behind `after`, in the order of their ends. Gives the last of these, null when there were fewer. May be done again. Of younger runs
 * it reads those of the partitions that the page is of.
 */
export async function forgetRuns(
  db: D1Database,
  endedBefore: string,
  after: EndedRun | null,
  limit: number,
): Promise<{ readonly forgotten: number; readonly last: EndedRun | null }> {
  const { finished_at, domain, partition_date, run_id } = after ?? NO_RUN;
  const page = `SELECT finished_at, domain, partition_date, run_id, status, started_at FROM ended_runs INDEXED BY ended_runs_by_end
    WHERE finished_at < ?1 AND (finished_at, domain, partition_date, run_id) > (?2, ?3, ?4, ?5)
    ORDER BY finished_at, domain, partition_date, run_id LIMIT ?6`;
  const bound = (sql: string): D1PreparedStatement =>
    db.prepare(sql).bind(endedBefore, finished_at, domain, partition_date, run_id, limit);
  const [rows, gone] = await db.batch<RowValues>([
    bound(
      `SELECT finished_at, domain, partition_date, run_id FROM (${page})
       ORDER BY finished_at, domain, partition_date, run_id LIMIT 1 OFFSET ?6 - 1`,
    ),
    bound(
      `WITH page AS MATERIALIZED (${page}),
         newest AS MATERIALIZED (SELECT domain, partition_date, status, max(r.started_at) AS started_at
           FROM (SELECT DISTINCT domain, partition_date FROM page) CROSS JOIN ended_runs r USING (domain, partition_date)
           GROUP BY domain, partition_date, status)
       DELETE FROM ended_runs WHERE (domain, partition_date, run_id) IN (
         SELECT p.domain, p.partition_date, p.run_id FROM page p JOIN newest n USING (domain, partition_date, status)
         WHERE p.started_at < n.started_at) RETURNING 1`,
    ),
  ]);
  return { forgotten: gone?.results.length ?? 0, last: ENDED_RUNS.in(rows)[0] ?? null };
}

const NO_RUN: EndedRun = { finished_at: "", domain: "", partition_date: "", run_id: "" };
