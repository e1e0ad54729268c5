/** The rows of `ended_runs`: what became of each run. One that has not ended is its partition's lease, and nothing else. */

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
  return `INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at, rows_in, rows_out, error_message, checks)
    SELECT l.domain, l.partition_date, l.run_id, l.fence, '${status}', coalesce(l.started_at, ${now}), ${now}, ${rows_in}, ${rows_out}, ${error_message}, ${checks}
    FROM partition_leases l WHERE l.domain = ?1 AND l.partition_date = ?2`;
}
