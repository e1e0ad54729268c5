/** Which checks a build judges: all of them once its partition has closed, before that those of increments. Pure. */
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import type { CheckResult } from "./gate.ts";

export function judgedChecks(checks: readonly RunnableCheck[], closed: boolean): readonly RunnableCheck[] {
  return closed ? checks : checks.filter(({ when }) => when !== "closing");
}

/** What was measured on the way of a check that waits for the closing is no result before that. */
export function judgedResults(results: readonly CheckResult[], closed: boolean): readonly CheckResult[] {
  return closed ? results : results.filter(({ check }) => check.when !== "closing");
}

/** Whether a build that publishes leaves checks to be judged at the closing. */
export function leavesChecks(checks: readonly RunnableCheck[], closed: boolean): boolean {
  return judgedChecks(checks, closed).length < checks.length;
}
