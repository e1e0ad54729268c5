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

/** The key of a row. */
export interface RunKey {
  readonly domain: string;
  readonly partition_date: string;
  readonly run_id: string;
}

const RUN_KEYS = rowsOf(
  { table: "ended_runs", key: ["domain", "partition_date", "run_id"], remedy: "delete the row" },
  (row): RunKey => ({
    domain: row.text("domain"),
    partition_date: row.text("partition_date"),
    run_id: row.text("run_id"),
  }),
);

/**
 * Drops runs that ended before `endedBefore` (ISO 8601), but for the last of each partition that ended as it did: of the `limit` rows
 * behind `after`, in the order of their keys. Gives the last of these, null when there were fewer. May be done again.
 */
export async function forgetRuns(
  db: D1Database,
  endedBefore: string,
  after: RunKey | null,
  limit: number,
): Promise<{ readonly forgotten: number; readonly last: RunKey | null }> {
  const { domain, partition_date, run_id } = after ?? { domain: "", partition_date: "", run_id: "" };
  const page = `SELECT domain, partition_date, run_id, status, started_at, finished_at FROM ended_runs
    WHERE (domain, partition_date, run_id) > (?1, ?2, ?3) ORDER BY domain, partition_date, run_id LIMIT ?4`;
  const bound = (sql: string, ...more: string[]): D1PreparedStatement =>
    db.prepare(sql).bind(domain, partition_date, run_id, limit, ...more);
  const [rows, gone] = await db.batch<RowValues>([
    bound(
      `SELECT domain, partition_date, run_id FROM (${page}) ORDER BY domain, partition_date, run_id LIMIT 1 OFFSET ?4 - 1`,
    ),
    bound(
      `DELETE FROM ended_runs WHERE (domain, partition_date, run_id) IN (
         SELECT domain, partition_date, run_id FROM (
           SELECT *, max(started_at) OVER (PARTITION BY domain, partition_date, status) AS newest FROM (${page}))
         WHERE finished_at < ?5 AND started_at < newest) RETURNING 1`,
      endedBefore,
    ),
  ]);
  return { forgotten: gone?.results.length ?? 0, last: RUN_KEYS.in(rows)[0] ?? null };
}
