/** What people decided of a blocked partition, applied to its gate. Pure. */
import type { Decision, HeldCheck } from "../../../sql/statements/partition-decisions.ts";
import type { RunnableCheck } from "../../tables/compiled/compiled-check.ts";
import type { CheckResult } from "./gate.ts";

type CheckName = Pick<HeldCheck, "layer" | "check_name">;

const nameOf = ({ layer, check_name }: CheckName): string => `${layer} ${check_name}`;

/**
 * The checks as they apply to a partition: one that somebody decided to quarantine takes its failing rows out, instead of holding
 * the partition back. It stays so for every build of the partition, so that each gives the same rows.
 */
export function checksAfter(
  checks: readonly RunnableCheck[],
  decisions: readonly Decision[],
): readonly RunnableCheck[] {
  const quarantined = decidedChecks(decisions, "quarantine");
  if (quarantined.size === 0) return checks;
  return checks.map((check) => {
    const decided = quarantined.has(nameOf({ layer: check.layer, check_name: check.name }));
    return decided && check.onFail === "block" ? { ...check, onFail: "quarantine" } : check;
  });
}

/**
 * The results that hold a partition back although somebody accepted some. What was accepted is what was measured then: a build of
 * the same rows passes, and one that finds more to object to is held back again.
 */
export function unaccepted(results: readonly CheckResult[], decisions: readonly Decision[]): CheckResult[] {
  const accepted = decidedChecks(decisions, "accept");
  return results.filter(({ check, measured }) => {
    const measures = accepted.get(nameOf({ layer: check.layer, check_name: check.name }));
    return measures === undefined || !measures.includes(measured);
  });
}

function decidedChecks(
  decisions: readonly Decision[],
  action: Decision["action"],
): ReadonlyMap<string, readonly (number | null)[]> {
  const held = decisions.filter((decision) => decision.action === action).flatMap(({ checks }) => checks);
  return new Map(
    [...Map.groupBy(held, nameOf)].map(([name, checks]) => [name, checks.map(({ measured }) => measured)]),
  );
}

/** Why failing rows of a check cannot go into quarantine; undefined: they can. */
export function noQuarantine(check: RunnableCheck): string | undefined {
  if (check.layer !== "silver") return `the ${check.layer} check "${check.name}" does not judge rows of silver`;
  if (check.metric === "sql") return `the check "${check.name}" is a query, which names no rows`;
  if (check.metric === "rowCount") return `the check "${check.name}" counts rows, and none of them fails`;
  return undefined;
}
