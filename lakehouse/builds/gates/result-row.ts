/** A check's result as the run's row in D1 keeps it. */
import type { QualityRow } from "../../../sql/statements/quality.ts";
import type { CheckResult } from "./gate.ts";

/** `files`: those in which the failing rows stand. */
export function resultRow(result: CheckResult, files: readonly { readonly file: string }[]): QualityRow {
  const { check } = result;
  return {
    layer: check.layer,
    check_name: check.name,
    metric: check.metric,
    measured: result.measured,
    bound: JSON.stringify({ [check.bound.op]: check.bound.value }),
    passed: result.passed ? 1 : 0,
    on_fail: check.onFail,
    failing_rows: result.failingRows.length === 0 ? null : JSON.stringify(result.failingRows),
    candidate: files[0]?.file ?? null,
    ...(result.problem === undefined ? {} : { problem: result.problem }),
  };
}
