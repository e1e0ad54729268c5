/**
 * Gates: the checks of ODCS 3.1 measured over a candidate, and the verdict that lets it through or holds it back.
 * Pure: batches in, results out.
 */
import { randomInt } from "node:crypto";
import type { Bound, Layer, LibraryCheck } from "../../../contracts/contract.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { release } from "../../engine/columns/release.ts";
import { identitiesOf } from "../../engine/keys/identity.ts";
import { KeySet } from "../../engine/keys/key-set.ts";
import type { RunnableCheck, RunnableSqlCheck } from "../../tables/compiled/compiled-check.ts";
import { type CandidateScan, measureQuery, scanOf } from "./measure-query.ts";
import { failingRowsOf } from "./row-check.ts";

/** How many failing rows a result names. */
export const FAILING_ROWS = 20;

export interface CheckResult {
  readonly check: RunnableCheck;
  /** Null when a query gave no number: then the check failed. */
  readonly measured: number | null;
  readonly passed: boolean;
  /** Row numbers, the first twenty: in the candidate, or in the quarantine file of a check whose rows stand there. */
  readonly failingRows: readonly number[];
  /** Why nothing was measured. */
  readonly problem?: string;
}

/** Measures the checks of one layer over a candidate. Throws a RangeError when a check names a column that the candidate lacks. */
export async function runChecks(
  checks: readonly RunnableCheck[],
  layer: Layer,
  candidate: Batch,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (check.layer !== layer) continue;
    results.push(
      check.metric === "sql" ? await queryResult(check, scanOf(candidate)) : libraryResult(check, candidate),
    );
  }
  return results;
}

/** What a check's query measures over a candidate. */
export async function queryResult(check: RunnableSqlCheck, scan: CandidateScan): Promise<CheckResult> {
  const measure = await measureQuery(check, scan);
  if ("problem" in measure) return { check, measured: null, passed: false, failingRows: [], problem: measure.problem };
  return { check, measured: measure.value, passed: holds(check.bound, measure.value), failingRows: [] };
}

function libraryResult(check: LibraryCheck, candidate: Batch): CheckResult {
  const { measured, failingRows } = measureRows(check, candidate);
  return { check, measured, passed: holds(check.bound, measured), failingRows: failingRows.slice(0, FAILING_ROWS) };
}

/** What a library check measures, and every row that counts against it. Throws as `runChecks` does. */
export function measureRows(
  check: LibraryCheck,
  candidate: Batch,
): { readonly measured: number; readonly failingRows: readonly number[] } {
  const failingRows = failing(check, candidate);
  const rows = check.metric === "rowCount" ? candidate.length : failingRows.length;
  const measured = check.unit === "percent" ? (candidate.length === 0 ? 0 : (rows * 100) / candidate.length) : rows;
  return { measured, failingRows };
}

/** The results that hold a candidate back. */
export function blocking(results: readonly CheckResult[]): CheckResult[] {
  return results.filter((result) => !result.passed && result.check.onFail === "block");
}

/** Whether a measured number satisfies a bound (ODCS 3.1, data quality operators; `mustBeBetween` includes its ends). */
export function holds(bound: Bound, measured: number): boolean {
  switch (bound.op) {
    case "mustBe":
      return measured === bound.value;
    case "mustNotBe":
      return measured !== bound.value;
    case "mustBeGreaterThan":
      return measured > bound.value;
    case "mustBeGreaterOrEqualTo":
      return measured >= bound.value;
    case "mustBeLessThan":
      return measured < bound.value;
    case "mustBeLessOrEqualTo":
      return measured <= bound.value;
    case "mustBeBetween":
      return measured >= bound.value[0] && measured <= bound.value[1];
    case "mustNotBeBetween":
      return measured < bound.value[0] || measured > bound.value[1];
  }
}

/** A candidate that its own checks hold back: a `data` failure, which the same input would repeat. */
export class QualityGateError extends Error {
  override readonly name = "QualityGateError";
  readonly results: readonly CheckResult[];
  /** What all checks of the run found, for its row (`quality.ts`). */
  readonly checks: string | undefined;

  constructor(table: string, date: string, results: readonly CheckResult[], checks?: string) {
    const failures = results.map(
      ({ check, measured, problem }) =>
        `${check.layer} check "${check.name}" measured ${measured ?? `nothing (${problem})`}, ${check.bound.op} ${JSON.stringify(check.bound.value)}`,
    );
    super(`QUALITY_GATE: ${table} ${date}: ${failures.join("; ")}. The last good version stays published.`);
    this.results = results;
    this.checks = checks;
  }
}

function failing(check: LibraryCheck, candidate: Batch): number[] {
  switch (check.metric) {
    case "rowCount":
      return [];
    case "nullValues":
    case "missingValues":
    case "invalidValues":
      return failingRowsOf({ ...check, metric: check.metric })(candidate);
    case "duplicateValues": {
      const columns = check.columns.map((name) => requireColumn(candidate, name));
      const identities = identitiesOf(columns, candidate.length);
      const keys = new KeySet(candidate.length, randomInt(2 ** 32));
      const rows: number[] = [];
      for (const [row, slot] of keys.add(identities).entries()) {
        // As in SQL, NULL is equal to nothing, itself included: a key with a NULL is no other row's, unless the check says so.
        if (!check.nullsEqual && columns.some(({ nulls }) => nulls?.[row] === 1)) continue;
        if (keys.isFree(slot)) keys.take(slot);
        else rows.push(row);
      }
      release(identities);
      keys.release();
      return rows;
    }
  }
}
