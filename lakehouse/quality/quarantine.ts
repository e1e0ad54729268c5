/** Takes the rows out of a candidate that its checks with `on_fail: quarantine` refuse. Pure: the same candidate gives the same rows in the same order. */
import type { LibraryCheck } from "../../contracts/contract.ts";
import { createColumnBuilder } from "../columns/builder.ts";
import type { Batch, Field } from "../columns/column.ts";
import { gatherBatch } from "../columns/gather.ts";
import { pushValue } from "../columns/push-value.ts";
import type { RunnableCheck } from "./compiled-check.ts";
import { type CheckResult, FAILING_ROWS, holds, measureRows } from "./gate.ts";

/** The names of the checks that a row in quarantine failed. */
export const FAILED_CHECKS_FIELD = {
  name: "_failed_checks",
  type: { kind: "list", item: { name: "item", type: { kind: "utf8" }, nullable: false } },
  nullable: false,
} as const satisfies Field;

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
  const measured = new Map<string, Measured>();
  const measure = (check: LibraryCheck, rows: Int32Array | undefined): void => {
    const result = measureRows(check, rows === undefined ? candidate : gatherBatch(candidate, rows));
    const passed = holds(check.bound, result.measured);
    const failing = passed ? [] : result.failingRows.map((row) => rows?.[row] ?? row);
    for (const row of failing) failed.set(row, [...(failed.get(row) ?? []), check.name]);
    measured.set(check.name, { measured: result.measured, passed, failing });
  };
  for (const check of own) if (check.metric !== "duplicateValues") measure(check, undefined);
  const left = failed.size === 0 ? undefined : rowsWhere(candidate.length, (row) => !failed.has(row));
  for (const check of own) if (check.metric === "duplicateValues") measure(check, left);

  const kept =
    failed.size === 0
      ? candidate
      : gatherBatch(
          candidate,
          rowsWhere(candidate.length, (row) => !failed.has(row)),
        );
  const rows = rowsWhere(candidate.length, (row) => failed.has(row));
  const position = new Map([...rows].map((row, index) => [row, index]));
  return {
    kept,
    quarantined: withReasons(
      gatherBatch(candidate, rows),
      [...rows].map((row) => failed.get(row) ?? []),
    ),
    results: own.flatMap((check) => {
      const result = measured.get(check.name);
      if (result === undefined) return [];
      const failingRows = result.failing.slice(0, FAILING_ROWS).map((row) => position.get(row) ?? 0);
      return [{ check, measured: result.measured, passed: result.passed, failingRows }];
    }),
  };
}

interface Measured {
  readonly measured: number;
  readonly passed: boolean;
  /** Rows of the candidate that the check takes out. */
  readonly failing: readonly number[];
}

function rowsWhere(length: number, test: (row: number) => boolean): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) if (test(row)) rows.push(row);
  return Int32Array.from(rows);
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
