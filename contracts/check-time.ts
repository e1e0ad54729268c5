/** When checks are judged: at each build of a partition, or once it has closed. */
import type { Bound, CheckTime, LibraryCheck } from "./contract.ts";

export const CHECK_TIMES = ["increment", "closing"] as const satisfies readonly CheckTime[];

/** The parts of a check that decide when it is judged, where its contract does not say. */
export interface AskedCheck {
  readonly metric: LibraryCheck["metric"] | "sql";
  readonly unit: LibraryCheck["unit"];
  readonly bound: Bound;
}

/**
 * Gives the time of a check whose contract states none. A row that the bound forbids is as wrong at noon as at midnight, and so is an
 * empty table: each build judges that. A count, a share or the answer of a query may still come right until the day is over, and a query
 * reads the whole date each time: these wait for the closing.
 */
export function usualTime(check: AskedCheck): CheckTime {
  if (check.metric === "sql") return "closing";
  if (check.metric === "rowCount") return isMetByOneRow(check.bound) ? "increment" : "closing";
  return allowsNone(check) ? "increment" : "closing";
}

/** Tells whether the bound allows no row at all: then the first row that counts breaks it, whatever the other rows are. */
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

/** Tells whether one row meets the bound and no further row breaks it. */
function isMetByOneRow({ op, value }: Bound): boolean {
  return (
    (op === "mustBeGreaterThan" && value < 1) ||
    (op === "mustBeGreaterOrEqualTo" && value <= 1) ||
    (op === "mustNotBe" && value === 0)
  );
}

/** The field `when` of a compiled check, which is absent where each build judges it. */
export function keptTime(time: CheckTime): { readonly when?: "closing" } {
  return time === "closing" ? { when: time } : {};
}
