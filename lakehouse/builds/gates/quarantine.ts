/** Takes the rows out of a candidate that its checks with `on_fail: quarantine` refuse. Pure: the same candidate gives the same rows in the same order. */
import type { LibraryCheck } from "../../../contracts/contract.ts";
import { createColumnBuilder } from "../../engine/columns/builder.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { gatherBatch } from "../../engine/columns/gather.ts";
import { pushValue } from "../../engine/columns/push-value.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import { FAILED_CHECKS_FIELD } from "../../tables/quarantine.ts";
import { type CheckResult, FAILING_ROWS, holds, measureRows } from "./gate.ts";

export interface Separated {
  /** The rows to publish, in the candidate's order. */
  readonly kept: Batch;
  /** The others in the same order, with `_failed_checks`. */
  readonly quarantined: Batch;
  /** Of the checks that say quarantine; their row numbers count the quarantined rows. */
  readonly results: readonly CheckResult[];
}

/**
 * A check whose bound holds takes nothing out, however many rows count against it; one that fails takes out every such
 * row. Values are checked first and duplicates among the rows that are left, so that a bad row does not cost a good one
 * with the same key. Throws a RangeError when a check names a column that the candidate lacks.
 */
export function separate(checks: readonly RunnableCheck[], candidate: Batch): Separated {
  const own = checks.filter((check) => check.metric !== "sql").filter(({ onFail }) => onFail === "quarantine");
  const failed = new Map<number, string[]>();
  const measures = new Map<LibraryCheck, Measured>();
  const measure = (check: LibraryCheck, rows: Int32Array | undefined): void => {
    const columns = columnsOf(candidate, check.columns);
    const result = measureRows(check, rows === undefined ? columns : gatherBatch(columns, rows));
    const passed = holds(check.bound, result.measured);
    const failing = passed ? [] : result.failingRows.map((row) => rows?.[row] ?? row);
    for (const row of failing) failed.set(row, [...(failed.get(row) ?? []), check.name]);
    measures.set(check, { measured: result.measured, passed, failing });
  };
  for (const check of own) if (check.metric !== "duplicateValues") measure(check, undefined);
  const left = failed.size === 0 ? undefined : rowsOutside(failed, candidate.length);
  for (const check of own) if (check.metric === "duplicateValues") measure(check, left);

  const rows = Int32Array.from(failed.keys()).sort();
  const position = new Map(Array.from(rows, (row, index) => [row, index]));
  const reasons = Array.from(rows, (row) => failed.get(row) ?? []);
  return {
    kept: failed.size === 0 ? candidate : gatherBatch(candidate, rowsOutside(failed, candidate.length)),
    quarantined: withReasons(gatherBatch(candidate, rows), reasons),
    results: [...measures].map(([check, { measured, passed, failing }]) => {
      const failingRows = failing.slice(0, FAILING_ROWS).map((row) => position.get(row) ?? 0);
      return { check, measured, passed, failingRows };
    }),
  };
}

interface Measured {
  readonly measured: number;
  readonly passed: boolean;
  /** Rows of the candidate that the check takes out. */
  readonly failing: readonly number[];
}

/** Only what a check reads: copying the rest of a large candidate would double it. */
function columnsOf(batch: Batch, names: readonly string[]): Batch {
  const kept = batch.fields.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  return {
    fields: kept.flatMap((index) => batch.fields.slice(index, index + 1)),
    columns: kept.flatMap((index) => batch.columns.slice(index, index + 1)),
    length: batch.length,
  };
}

function rowsOutside(failed: ReadonlyMap<number, unknown>, length: number): Int32Array {
  const rows = new Int32Array(length - failed.size);
  let next = 0;
  for (let row = 0; row < length; row++) if (!failed.has(row)) rows[next++] = row;
  return rows;
}

function withReasons(rows: Batch, reasons: readonly (readonly string[])[]): Batch {
  const builder = createColumnBuilder(FAILED_CHECKS_FIELD.type);
  for (const names of reasons) pushValue(builder, names);
  return {
    fields: [...rows.fields, FAILED_CHECKS_FIELD],
    columns: [...rows.columns, builder.finish()],
    length: rows.length,
  };
}
