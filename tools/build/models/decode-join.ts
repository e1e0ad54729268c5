/** Joins of DuckDB's plan to IR: by equal keys, the right side held whole. `undefined` means that a problem was reported. */
import { columnsUsed, mapChildren } from "../../../lakehouse/engine/expressions/columns-used.ts";
import type { Expression, JoinKey, JoinKind, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { isScalar, sameType, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { type DecodeContext, nativeAt } from "./decode-context.ts";
import { decodeComparison, decodeExpression } from "./decode-expression.ts";
import { type JsonObject, listAt, objectAt, objectsAt, PlanShapeError, textAt } from "./json.ts";

const kinds: Readonly<Record<string, JoinKind>> = {
  INNER: "inner",
  LEFT: "left",
  SEMI: "semi",
  ANTI: "anti",
  MARK: "mark",
};

/** What a join compares: its keys, and what else must hold of a pair of rows (over the columns of both sides). */
interface Condition {
  readonly keys: JoinKey[];
  readonly rest: Expression[];
}

/** A LOGICAL_COMPARISON_JOIN or LOGICAL_ANY_JOIN over its decoded sides. */
export function decodeJoin(json: JsonObject, left: Plan, right: Plan, context: DecodeContext): Plan | undefined {
  const at = context.source.first("JOIN") ?? context.source.first("SUBQUERY");
  const type = textAt(json, "join_type");
  const kind = kinds[type];
  if (kind === undefined) {
    return nativeAt(context, context.source.first(type) ?? at, `the edge has no ${type} JOIN`);
  }
  for (const map of ["left_projection_map", "right_projection_map"]) {
    if (json[map] !== undefined && listAt(json, map).length > 0)
      throw new PlanShapeError("a join of the plan projects");
  }
  const condition = decodeCondition(json, outputTypes(left).length, context);
  if (condition === undefined) return undefined;
  const { keys, rest } = condition;
  if (keys.length === 0) {
    const what = kind === "mark" ? "subquery with such a comparison" : "join without equal keys";
    return nativeAt(context, at, `the edge has no ${what}`);
  }
  if (kind === "mark" && (keys.length > 1 || rest.length > 0))
    return nativeAt(context, at, "the edge has no IN of several columns");
  const nested = keys.find((key) => !isScalar(key.left.type));
  if (nested !== undefined) return nativeAt(context, at, `the edge has no join by a ${sqlName(nested.left.type)}`);
  const [first, ...others] = rest;
  const residual: Expression | null =
    first === undefined ? null : others.length === 0 ? first : { node: "and", args: rest, type: { kind: "bool" } };
  return { node: "join", kind, left, right, keys, residual };
}

function decodeCondition(json: JsonObject, leftWidth: number, context: DecodeContext): Condition | undefined {
  if (textAt(json, "type") === "LOGICAL_ANY_JOIN") {
    const whole = decodeExpression(objectAt(json, "condition"), context);
    if (whole === undefined) return undefined;
    const condition: Condition = { keys: [], rest: [] };
    for (const part of whole.node === "and" ? whole.args : [whole]) {
      const key = keyOf(part, leftWidth);
      if (key === undefined) condition.rest.push(part);
      else condition.keys.push(key);
    }
    return condition;
  }
  const condition: Condition = { keys: [], rest: [] };
  let whole = true;
  for (const each of objectsAt(json, "conditions")) {
    const left = decodeExpression(objectAt(each, "left"), context);
    const right = decodeExpression(objectAt(each, "right"), context);
    if (left === undefined || right === undefined) whole = false;
    else if (textAt(each, "comparison") === "COMPARE_EQUAL") condition.keys.push({ left, right });
    else {
      const compared = decodeComparison(textAt(each, "comparison"), left, moved(right, leftWidth), each, context);
      if (compared === undefined) whole = false;
      else condition.rest.push(compared);
    }
  }
  return whole ? condition : undefined;
}

/** An equation with a side of each table as a key; undefined when the expression is none. */
function keyOf(part: Expression, leftWidth: number): JoinKey | undefined {
  if (part.node !== "call" || part.name !== "=") return undefined;
  const [a, b] = part.args;
  if (a === undefined || b === undefined || !sameType(a.type, b.type)) return undefined;
  if (isOf(a, "left", leftWidth) && isOf(b, "right", leftWidth)) return { left: a, right: moved(b, -leftWidth) };
  if (isOf(b, "left", leftWidth) && isOf(a, "right", leftWidth)) return { left: b, right: moved(a, -leftWidth) };
  return undefined;
}

function isOf(expression: Expression, side: "left" | "right", leftWidth: number): boolean {
  const used = [...columnsUsed(expression)];
  return used.length > 0 && used.every((index) => index < leftWidth === (side === "left"));
}

function moved(expression: Expression, by: number): Expression {
  if (expression.node === "column") return { ...expression, index: expression.index + by };
  return mapChildren(expression, (child) => moved(child, by));
}
