/** Results of checks in D1. */
import type { Lease } from "./partitions.ts";

export interface QualityRow {
  readonly layer: string;
  readonly check_name: string;
  readonly metric: string;
  /** Null: a query gave no number. */
  readonly measured: number | null;
  /** JSON of the bound, as the contract writes it. */
  readonly bound: string;
  readonly passed: number;
  readonly on_fail: string;
  /** JSON array of row numbers in `candidate`; null when there is none. */
  readonly failing_rows: string | null;
  /** R2 key of the first file that the failing rows stand in: the staged candidate's, or its quarantine's. */
  readonly candidate: string | null;
}

/** Records what a run measured. */
export async function recordResults(
  db: D1Database,
  lease: Lease,
  table: string,
  rows: readonly QualityRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await db
    .prepare(
      `INSERT INTO quality_results (run_id, layer, check_name, table_name, partition_date, metric, measured, bound, passed, on_fail, failing_rows, candidate, checked_at)
       SELECT ?1, value ->> 'layer', value ->> 'check_name', ?2, ?3, value ->> 'metric', value ->> 'measured', value ->> 'bound', value ->> 'passed',
              value ->> 'on_fail', value ->> 'failing_rows', value ->> 'candidate', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
       FROM json_each(?4) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(lease.runId, table, lease.date, JSON.stringify(rows))
    .run();
}
