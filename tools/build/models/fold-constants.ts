import { valueAt } from "../../../lakehouse/engine/columns/value.ts";
import { childrenOf } from "../../../lakehouse/engine/expressions/columns-used.ts";
import { intervalReader, intervalText } from "../../../lakehouse/engine/expressions/intervals.ts";
import { prepare } from "../../../lakehouse/engine/expressions/prepare.ts";
import { integerReader } from "../../../lakehouse/engine/expressions/vector.ts";
import type { ConstantValue, Expression } from "../../../lakehouse/engine/ir/ir.ts";

/**
 * Evaluates an expression of constants with the runtime's own kernels, so that it costs nothing per run. Children are
 * folded already. Throws `ModelValueError` when the value cannot be made: better at build time than at the first row.
 */
export function foldConstants(expression: Expression): Expression {
  if (expression.node === "constant" || expression.node === "column" || expression.node === "lambda") return expression;
  if (!childrenOf(expression).every((child) => child.node === "constant")) return expression;
  const { type } = expression;
  if (type.kind === "list" || type.kind === "struct" || type.kind === "binary") return expression;
  const column = prepare(expression)({ columns: [], length: 1 });
  if (column.nulls?.[0] === 1) return { node: "constant", value: null, type };
  return { node: "constant", value: constantValue(column, type.kind), type };
}

function constantValue(column: Parameters<typeof valueAt>[0], kind: string): ConstantValue {
  if (kind === "interval") return intervalText(intervalReader(column)(0));
  if (kind === "int32" || kind === "date") return Number(integerReader(column)(0));
  if (column.kind === "int64" || column.kind === "int128") return integerReader(column)(0).toString();
  const value = valueAt(column, 0);
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value);
  if (typeof value === "string" || typeof value === "boolean") return value;
  throw new TypeError(`a constant of kind ${column.kind} cannot be folded`);
}

/** JSON has no NaN, no infinities and loses the sign of -0. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
