/** When checks are judged: at each build of a partition, or once it has closed. */
import type { Bound, CheckTime, LibraryCheck } from "./contract.ts";

export const CHECK_TIMES = ["increment", "closing"] as const satisfies readonly CheckTime[];

/** What decides when a check is judged. */
export interface AskedCheck {
  readonly metric: LibraryCheck["metric"] | "sql";
  readonly unit: LibraryCheck["unit"];
  readonly bound: Bound;
}

/**
 * When a check is judged that does not say. Rows of which there may be none, and a table that may not be empty, are as wrong in a part of
 * the day as in all of it. How many rows there are, a share of them, and what a query says of all of them is known at the end of the day:
 * what comes may still make it right, and a query reads the whole date each time.
 */
export function usualTime(check: AskedCheck): CheckTime {
  if (check.metric === "sql") return "closing";
  if (check.metric === "rowCount") return isMetByOneRow(check.bound) ? "increment" : "closing";
  return allowsNone(check) ? "increment" : "closing";
}

/** Whether a single row that counts breaks the bound, and none keeps it, so that nothing has to be known of the other rows. */
export function allowsNone({ unit, bound }: Pick<AskedCheck, "unit" | "bound">): boolean {
  // A percentage of one row may be as small as there are others.
  const one = unit === "rows" ? 1 : 0;
  switch (bound.op) {
    case "mustBe":
      return bound.value === 0;
    case "mustBeLessOrEqualTo":
      return bound.value === 0 || (bound.value > 0 && bound.value < one);
    case "mustBeLessThan":
      return bound.value > 0 && bound.value <= one;
    default:
      return false;
  }
}

/** One row is enough, and more can never break it. */
function isMetByOneRow({ op, value }: Bound): boolean {
  return (
    (op === "mustBeGreaterThan" && value < 1) ||
    (op === "mustBeGreaterOrEqualTo" && value <= 1) ||
    (op === "mustNotBe" && value === 0)
  );
}

/** As a check keeps it: where nothing is said, each build judges it. */
export function keptTime(time: CheckTime): { readonly when?: "closing" } {
  return time === "closing" ? { when: time } : {};
}
