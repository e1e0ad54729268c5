/** Results of checks in D1: each run's are told with its end. */

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
  /** Why nothing was measured, and what to do; only then. */
  readonly problem?: string;
}

/**
 * What a run's checks of a table found, as its row of `ended_runs` keeps it: JSON, which the view `check_history` makes rows
 * of again. `checkedAt`: ISO 8601 UTC. Undefined where nothing was checked.
 */
export function checksOf(table: string, checkedAt: string, results: readonly QualityRow[]): string | undefined {
  if (results.length === 0) return undefined;
  return JSON.stringify({ table_name: table, checked_at: checkedAt, results });
}

/** Stands for the checks of a run whose row somebody edited: it says so where the checks are listed, and others are listed as they are. */
const UNREADABLE: QualityRow = {
  layer: "unknown",
  check_name:
    "unreadable: ended_runs.checks of this run is no JSON; delete its row, and its next build tells the checks again",
  metric: "unknown",
  measured: null,
  bound: "{}",
  passed: 0,
  on_fail: "block",
  failing_rows: null,
  candidate: null,
};
const UNREADABLE_CHECKS = JSON.stringify({ table_name: "unknown", checked_at: "", results: [UNREADABLE] });

/** An SQL expression: the column `checks`, of which SQLite's JSON functions fail on no row. */
export function readableChecks(column: string): string {
  return `iif(${column} IS NULL OR json_valid(${column}), ${column}, '${UNREADABLE_CHECKS}')`;
}
