/**
 * Gates: the checks of ODCS 3.1 measured over a candidate, and the verdict that lets it through or holds it back.
 * Pure: batches in, results out.
 */
import type { Bound, Layer, LibraryCheck } from "../../../contracts/contract.ts";
import { compilePattern } from "../../../contracts/patterns/pattern.ts";
import { type ComparedAs, valueText } from "../../../contracts/value-text.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { Batch, Column } from "../../engine/columns/column.ts";
import { createTupleIndex } from "../../engine/columns/tuple-index.ts";
import { valueAt } from "../../engine/columns/value.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
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
      return nullRows(candidate, check.columns);
    case "missingValues":
      return rowsWhere(candidate, check, (isListed) => isListed, true);
    case "invalidValues": {
      const pattern = check.pattern === undefined ? undefined : compilePattern(check.pattern, "ecma");
      const hasList = check.values.length > 0;
      return rowsWhere(
        candidate,
        check,
        (isListed, text) => (hasList && !isListed) || (pattern !== undefined && !pattern.test(text)),
        false,
      );
    }
    case "duplicateValues": {
      const columns = check.columns.map((name) => columnOf(candidate, name));
      const { fresh } = createTupleIndex(columns.length).assign(columns, candidate.length);
      const first = new Set(fresh);
      const rows: number[] = [];
      for (let row = 0; row < candidate.length; row++) {
        // As in SQL, NULL is equal to nothing, itself included: a key with a NULL is no other row's.
        if (!first.has(row) && !columns.some(({ nulls }) => nulls?.[row] === 1)) rows.push(row);
      }
      return rows;
    }
  }
}

function nullRows(candidate: Batch, names: readonly string[]): number[] {
  const columns = names.map((name) => columnOf(candidate, name));
  const rows: number[] = [];
  for (let row = 0; row < candidate.length; row++)
    if (columns.some((column) => column.nulls?.[row] === 1)) rows.push(row);
  return rows;
}

/** The rows of which any column counts: by its value, and whether it is one of the check's, or, being NULL, as `nulls` says. */
function rowsWhere(
  candidate: Batch,
  { columns: names, values }: LibraryCheck,
  counts: (isListed: boolean, text: string) => boolean,
  nulls: boolean,
): number[] {
  const tests = names.map((name) => {
    const column = columnOf(candidate, name);
    const { as, read } = reader(column);
    // A value that the column's type does not have is none of its values.
    const listed = new Set(values.flatMap((value) => valueText(as, value) ?? []));
    return (row: number): boolean => {
      if (column.nulls?.[row] === 1) return nulls;
      const text = read(row);
      return counts(listed.has(text), text);
    };
  });
  const rows: number[] = [];
  for (let row = 0; row < candidate.length; row++) if (tests.some((test) => test(row))) rows.push(row);
  return rows;
}

/** What a column's values are compared as, and the text of each (`contracts/value-text.ts`). */
function reader(column: Column): { readonly as: ComparedAs; readonly read: (row: number) => string } {
  const { kind } = column.type;
  switch (kind) {
    case "list":
    case "struct":
      throw new RangeError("a nested column has no values to compare");
    case "date":
      return { as: "date", read: (row) => formatDate(Number(valueAt(column, row))) };
    case "timestamp":
      return { as: "timestamp", read: (row) => formatTimestamp(Number(valueAt(column, row))) };
    case "bool":
      return { as: "boolean", read: (row) => String(valueAt(column, row)) };
    case "utf8":
    case "binary":
      return { as: "text", read: (row) => String(valueAt(column, row)) };
    default: {
      const text = (row: number) => String(valueAt(column, row));
      return { as: "number", read: (row) => valueText("number", text(row)) ?? text(row) };
    }
  }
}

function columnOf(candidate: Batch, name: string): Column {
  const column = candidate.columns[candidate.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new RangeError(`the candidate has no column ${name}`);
  return column;
}
