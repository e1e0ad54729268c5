/** Expressions of DuckDB's plan to IR. `undefined` means that a problem was reported; the siblings are decoded all the same. */
import { bindCast } from "../../../lakehouse/engine/expressions/casts.ts";
import { bindFunction } from "../../../lakehouse/engine/expressions/functions.ts";
import { isUnsupported } from "../../../lakehouse/engine/expressions/vector.ts";
import { DuckDbValueError } from "../../../lakehouse/engine/ir/errors.ts";
import type { Call, Cast, Expression, IrType } from "../../../lakehouse/engine/ir/ir.ts";
import { decodeConstant } from "./decode-constant.ts";
import { atTheEdge, byteOf, type DecodeContext, named, nativeAt, reportAt, typeOf } from "./decode-context.ts";
import { foldConstants } from "./fold-constants.ts";
import { indexAt, isObject, type JsonObject, objectAt, objectsAt, PlanShapeError, textAt } from "./json.ts";

const BOOL: IrType = { kind: "bool" };

const comparisons: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: "=",
  COMPARE_NOTEQUAL: "<>",
  COMPARE_LESSTHAN: "<",
  COMPARE_LESSTHANOREQUALTO: "<=",
  COMPARE_GREATERTHAN: ">",
  COMPARE_GREATERTHANOREQUALTO: ">=",
  COMPARE_DISTINCT_FROM: "is distinct from",
  COMPARE_NOT_DISTINCT_FROM: "is not distinct from",
};

export function decodeExpression(json: JsonObject, context: DecodeContext): Expression | undefined {
  const decoded = decodeNode(json, context);
  if (decoded === undefined) return undefined;
  try {
    return foldConstants(decoded);
  } catch (error) {
    if (error instanceof DuckDbValueError) return nativeAt(context, byteOf(json), error.message);
    const reason = error instanceof Error ? error.message : String(error);
    return reportAt(context, byteOf(json), `the constant cannot be evaluated: ${reason}`, "correct it");
  }
}

function decodeNode(json: JsonObject, context: DecodeContext): Expression | undefined {
  const expressionClass = textAt(json, "expression_class");
  switch (expressionClass) {
    case "BOUND_REF": {
      const type = typeOf(json, context);
      return type === undefined ? undefined : { node: "column", index: indexAt(json, "index"), type };
    }
    case "BOUND_CONSTANT":
      return decodeConstant(json, context);
    case "BOUND_CAST":
      return decodeCast(json, context);
    case "BOUND_COMPARISON": {
      const [left, right] = decodeAll([objectAt(json, "left"), objectAt(json, "right")], context) ?? [];
      return left && right && decodeComparison(textAt(json, "type"), left, right, json, context);
    }
    case "BOUND_CONJUNCTION": {
      const args = decodeAll(objectsAt(json, "children"), context);
      return args && { node: textAt(json, "type") === "CONJUNCTION_AND" ? "and" : "or", args, type: BOOL };
    }
    case "BOUND_OPERATOR":
      return decodeOperator(json, context);
    case "BOUND_CASE":
      return decodeCase(json, context);
    case "BOUND_FUNCTION":
      return decodeFunction(json, context);
    default:
      return nativeAt(context, byteOf(json), `the edge has no ${named(expressionClass.replace("BOUND_", ""))}`);
  }
}

/** All of them, or `undefined` when one failed. */
export function decodeAll(nodes: readonly JsonObject[], context: DecodeContext): readonly Expression[] | undefined {
  const decoded = nodes.map((node) => decodeExpression(node, context));
  const known = decoded.filter((expression) => expression !== undefined);
  return known.length === decoded.length ? known : undefined;
}

/** A comparison of two decoded sides; `json` is where it stands. */
export function decodeComparison(
  comparison: string,
  left: Expression,
  right: Expression,
  json: JsonObject,
  context: DecodeContext,
): Expression | undefined {
  const name = comparisons[comparison];
  if (name === undefined) throw new PlanShapeError(`the plan compares by ${comparison}`);
  return supported({ node: "call", name, args: [left, right], type: BOOL }, json, context);
}

function decodeCast(json: JsonObject, context: DecodeContext): Expression | undefined {
  const type = typeOf(json, context);
  const child = objectAt(json, "child");
  // The NULL literal has a type of its own, which is always cast to the one that is needed.
  const constant = child["value"];
  if (type !== undefined && isObject(constant) && constant["is_null"] === true)
    return { node: "constant", value: null, type };
  const arg = decodeExpression(child, context);
  if (arg === undefined || type === undefined) return undefined;
  if (type.kind === "interval" && arg.node !== "constant") {
    return nativeAt(context, byteOf(json), "the edge casts no text to INTERVAL, but for literals");
  }
  const cast: Cast = { node: "cast", arg, lenient: json["try_cast"] === true, type };
  const bound = bindCast(arg.type, type, cast.lenient);
  return isUnsupported(bound) ? nativeAt(context, byteOf(json), atTheEdge(bound.unsupported)) : cast;
}

function decodeOperator(json: JsonObject, context: DecodeContext): Expression | undefined {
  const args = decodeAll(objectsAt(json, "children"), context);
  const type = typeOf(json, context);
  if (args === undefined || type === undefined) return undefined;
  const call = (name: string): Expression | undefined => supported({ node: "call", name, args, type }, json, context);
  const operator = textAt(json, "type");
  switch (operator) {
    case "OPERATOR_IS_NULL":
      return call("is null");
    case "OPERATOR_IS_NOT_NULL":
      return call("is not null");
    case "OPERATOR_NOT":
      return call("not");
    case "OPERATOR_COALESCE":
      return { node: "coalesce", args, type };
    case "COMPARE_IN":
      return call("in");
    case "COMPARE_NOT_IN": {
      const inside = call("in");
      return inside && { node: "call", name: "not", args: [inside], type };
    }
    default:
      return nativeAt(context, byteOf(json), `the edge has no operator ${named(operator.replace("OPERATOR_", ""))}`);
  }
}

function decodeCase(json: JsonObject, context: DecodeContext): Expression | undefined {
  const type = typeOf(json, context);
  const branches = objectsAt(json, "case_checks").map((branch) => ({
    when: decodeExpression(objectAt(branch, "when_expr"), context),
    result: decodeExpression(objectAt(branch, "then_expr"), context),
  }));
  const otherwise = decodeExpression(objectAt(json, "else_expr"), context);
  const known = branches.flatMap(({ when, result }) => (when && result ? [{ when, result }] : []));
  if (type === undefined || otherwise === undefined || known.length < branches.length) return undefined;
  return { node: "case", branches: known, otherwise, type };
}

function decodeFunction(json: JsonObject, context: DecodeContext): Expression | undefined {
  const name = textAt(json, "name");
  if (context.isVolatile(name)) {
    return reportAt(
      context,
      byteOf(json) ?? context.source.call(name),
      `${name}() is volatile: the same input would give other rows on another run`,
      "use a column of the input, such as _received",
    );
  }
  if (
    [
      "list_transform",
      "list_apply",
      "array_transform",
      "array_apply",
      "apply",
      "list_filter",
      "array_filter",
      "filter",
    ].includes(name)
  ) {
    return decodeLambda(json, name.endsWith("filter") ? "list_filter" : "list_transform", context);
  }
  const args = decodeAll(objectsAt(json, "children"), context);
  const type = typeOf(json, context);
  if (args === undefined || type === undefined) return undefined;
  const [list, aggregate] = args;
  if (name === "list_aggr" && list !== undefined && aggregate?.node === "constant") {
    return supported({ node: "call", name: `list_${String(aggregate.value)}`, args: [list], type }, json, context);
  }
  return supported({ node: "call", name, args, type }, json, context);
}

function decodeLambda(
  json: JsonObject,
  name: "list_transform" | "list_filter",
  context: DecodeContext,
): Expression | undefined {
  const data = objectAt(json, "function_data");
  const [list, ...captures] = decodeAll(objectsAt(json, "children"), context) ?? [];
  const body = decodeExpression(objectAt(data, "lambda_expr"), context);
  const type = typeOf(json, context);
  if (list === undefined || body === undefined || type === undefined) return undefined;
  if (list.type.kind !== "list" || data["has_initial"] === true || holdsLambda(objectAt(data, "lambda_expr"))) {
    return nativeAt(context, byteOf(json), "the edge has no lambda within a lambda");
  }
  return { node: "lambda", name, list, captures, indexed: data["has_index"] === true, body, type };
}

function holdsLambda(json: JsonObject): boolean {
  return JSON.stringify(json, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)).includes(
    '"lambda_expr"',
  );
}

/** `call`, when the runtime has a kernel for this overload; else the problem is reported. */
function supported(call: Call, json: JsonObject, context: DecodeContext): Call | undefined {
  const bound = bindFunction(call);
  if (!isUnsupported(bound)) return call;
  return bound.fault === true
    ? reportAt(context, byteOf(json), bound.unsupported, "correct it: DuckDB refuses it too")
    : nativeAt(context, byteOf(json) ?? context.source.call(call.name), atTheEdge(bound.unsupported));
}
