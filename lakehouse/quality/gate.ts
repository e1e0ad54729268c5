/**
 * Gates: the checks of ODCS 3.1 measured over a candidate, and the verdict that lets it through or holds it back.
 * Pure: batches in, results out.
 */
import type { Bound, Layer, LibraryCheck } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { Batch, Column } from "../columns/column.ts";
import { keyReader } from "../columns/row-key.ts";
import { valueAt } from "../columns/value.ts";
import type { RunnableCheck } from "./compiled-check.ts";
import { measureQuery } from "./measure-query.ts";

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
    results.push(check.metric === "sql" ? await queryResult(check, candidate) : libraryResult(check, candidate));
  }
  return results;
}

async function queryResult(check: RunnableCheck & { metric: "sql" }, candidate: Batch): Promise<CheckResult> {
  const measure = await measureQuery(check, candidate);
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

  constructor(table: string, date: string, results: readonly CheckResult[]) {
    const failures = results.map(
      ({ check, measured, problem }) =>
        `${check.layer} check "${check.name}" measured ${measured ?? `nothing (${problem})`}, ${check.bound.op} ${JSON.stringify(check.bound.value)}`,
    );
    super(`QUALITY_GATE: ${table} ${date}: ${failures.join("; ")}. The last good snapshot stays published.`);
    this.results = results;
  }
}

function failing(check: LibraryCheck, candidate: Batch): number[] {
  switch (check.metric) {
    case "rowCount":
      return [];
    case "nullValues":
      return rowsWhere(candidate, check, (column, row) => column.nulls?.[row] === 1);
    case "missingValues": {
      const missing = new Set(check.values);
      return rowsWhere(candidate, check, (column, row, text) => column.nulls?.[row] === 1 || missing.has(text(row)));
    }
    case "invalidValues": {
      const valid = new Set(check.values);
      return rowsWhere(candidate, check, (column, row, text) => column.nulls?.[row] !== 1 && !valid.has(text(row)));
    }
    case "duplicateValues": {
      const key = keyReader(check.columns.map((name) => columnOf(candidate, name)));
      const seen = new Set<string>();
      const rows: number[] = [];
      for (let row = 0; row < candidate.length; row++) {
        const value = key(row);
        if (seen.has(value)) rows.push(row);
        else seen.add(value);
      }
      return rows;
    }
  }
}

function rowsWhere(
  candidate: Batch,
  check: LibraryCheck,
  test: (column: Column, row: number, text: (row: number) => string) => boolean,
): number[] {
  const columns = check.columns.map((name) => columnOf(candidate, name));
  const texts = columns.map((column) => textReader(column));
  const rows: number[] = [];
  for (let row = 0; row < candidate.length; row++) {
    if (columns.some((column, i) => test(column, row, texts[i] ?? String))) rows.push(row);
  }
  return rows;
}

/** A value as a contract writes it: dates and times in their canonical form, decimals with all digits of their scale. */
function textReader(column: Column): (row: number) => string {
  const { type } = column;
  return (row) => {
    if (type.kind === "list" || type.kind === "struct")
      throw new RangeError("a nested column has no values to compare");
    const value = valueAt(column, row);
    if (type.kind === "date") return formatDate(Number(value));
    if (type.kind === "timestamp") return formatTimestamp(Number(value));
    return String(value);
  };
}

function columnOf(candidate: Batch, name: string): Column {
  const column = candidate.columns[candidate.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new RangeError(`the candidate has no column ${name}`);
  return column;
}
