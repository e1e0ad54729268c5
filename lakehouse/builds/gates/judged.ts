/** Chooses the checks that a build judges: all of them once its partition has closed, before that those without `when: closing`. Pure. */
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import type { CheckResult } from "./gate.ts";

export function judgedChecks(checks: readonly RunnableCheck[], closed: boolean): readonly RunnableCheck[] {
  return closed ? checks : checks.filter(({ when }) => when !== "closing");
}

/** Leaves out results of checks that wait for the closing: steps measure those too, and only the closing judges them. */
export function judgedResults(results: readonly CheckResult[], closed: boolean): readonly CheckResult[] {
  return closed ? results : results.filter(({ check }) => check.when !== "closing");
}

/** Tells whether a version that is published now still has checks to be judged at the closing. */
export function leavesChecks(checks: readonly RunnableCheck[], closed: boolean): boolean {
  return judgedChecks(checks, closed).length < checks.length;
}
