import type { JsonObject } from "../json.ts";
import { objectsAt } from "../json.ts";
import { columnOf, columnsIn } from "./expressions.ts";
import type { Dated } from "./rows.ts";

const NONE: ReadonlySet<number> = new Set();

/**
 * Whether an expression has the date of every row: a column that has it, or a `coalesce` that takes it from such a column, or from both
 * sides of a FULL JOIN (which is what USING makes of the column).
 */
export function givesDate(expression: JsonObject, { columns, halves: [left, right] = [NONE, NONE] }: Dated): boolean {
  const own = columnOf(expression);
  if (own !== undefined) return columns.has(own);
  if (expression["type"] !== "OPERATOR_COALESCE") return false;
  const operands = objectsAt(expression, "children");
  const known = columns.union(left).union(right);
  if (!operands.every((operand) => known.has(columnOf(operand) ?? -1))) return false;
  const named = columnsIn(operands);
  const meets = (set: ReadonlySet<number>) => set.intersection(named).size > 0;
  return meets(columns) || (meets(left) && meets(right));
}
