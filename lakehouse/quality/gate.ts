/**
 * Gates: library checks of ODCS 3.1 measured over a candidate, and the verdict that lets it through or holds it back.
 * Pure: batches in, results out.
 */
import type { Bound, Check, Layer } from "../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../schemas/time.ts";
import type { Batch, Column } from "../columns/column.ts";
import { keyReader } from "../columns/row-key.ts";
import { valueAt } from "../columns/value.ts";

/** How many failing rows a result names. */
const FAILING_ROWS = 20;

export interface CheckResult {
  readonly check: Check;
  readonly measured: number;
  readonly passed: boolean;
  /** Row numbers in the candidate, the first twenty. */
  readonly failingRows: readonly number[];
}

/** Measures the checks of one layer over a candidate. Throws a RangeError when a check names a column that the candidate lacks. */
export function runChecks(checks: readonly Check[], layer: Layer, candidate: Batch): CheckResult[] {
  return checks
    .filter((check) => check.layer === layer)
    .map((check) => {
      const failingRows = check.metric === "rowCount" ? [] : failing(check, candidate);
      const rows = check.metric === "rowCount" ? candidate.length : failingRows.length;
      const measured = check.unit === "percent" ? (candidate.length === 0 ? 0 : (rows * 100) / candidate.length) : rows;
      return { check, measured, passed: holds(check.bound, measured), failingRows: failingRows.slice(0, FAILING_ROWS) };
    });
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
      ({ check, measured }) =>
        `${check.layer} check "${check.name}" measured ${measured}, ${check.bound.op} ${JSON.stringify(check.bound.value)}`,
    );
    super(`QUALITY_GATE: ${table} ${date}: ${failures.join("; ")}. The last good snapshot stays published.`);
    this.results = results;
  }
}

function failing(check: Check, candidate: Batch): number[] {
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
  check: Check,
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
