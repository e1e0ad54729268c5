import type { IrField, Plan, SortKey } from "../../../lakehouse/engine/ir/ir.ts";
import { isScalar, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { decodeAggregate } from "./decode-aggregate.ts";
import { type DecodeContext, named, nativeAt } from "./decode-context.ts";
import { decodeAll, decodeExpression } from "./decode-expression.ts";
import { decodeFirstRow, isFirstRow } from "./decode-first-row.ts";
import { decodeJoin } from "./decode-join.ts";
import { decodeType, typeLabel } from "./decode-type.ts";
import {
  indexAt,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  objectsAt,
  PlanShapeError,
  textAt,
} from "./json.ts";

/** A part of a statement, as `SourceMap` names it. */
type Place = string;

/** Common table expressions in scope, by the plan's index: they are inlined where they are read. */
type Scope = ReadonlyMap<Json, Plan | undefined>;

/** Operators that only DuckDB has, in words, and where the statement asks for one. */
const NATIVE: Readonly<Record<string, readonly [string, ...Place[]]>> = {
  LOGICAL_ASOF_JOIN: ["ASOF JOIN", "ASOF", "JOIN"],
  LOGICAL_POSITIONAL_JOIN: ["positional joins", "POSITIONAL", "JOIN"],
  LOGICAL_CROSS_PRODUCT: ["cross products (`FROM a, b`) and scalar subqueries", "SUBQUERY", "CROSS"],
  LOGICAL_DELIM_JOIN: ["correlated subqueries, EXISTS and `FROM t, unnest(t.list)`", "SUBQUERY", "CROSS", "JOIN"],
  LOGICAL_WINDOW: ["window functions", "WINDOW"],
  LOGICAL_SAMPLE: ["samples"],
  LOGICAL_EXCEPT: ["EXCEPT", "EXCEPT"],
  LOGICAL_INTERSECT: ["INTERSECT", "INTERSECT"],
  LOGICAL_RECURSIVE_CTE: ["recursive queries"],
  LOGICAL_DUMMY_SCAN: ["SELECT without a table"],
  LOGICAL_EXPRESSION_GET: ["VALUES", "EXPRESSION_LIST"],
};

const HALF_WRITTEN = new Set(["LOGICAL_DELIM_JOIN", "LOGICAL_CROSS_PRODUCT", "LOGICAL_RECURSIVE_CTE"]);

/** The name that a scan's `rowid` has in the plan; no stored column is named so. */
export const ROW_NUMBER = "rowid()";

export function decodePlan(json: JsonObject, context: DecodeContext): Plan | undefined {
  return decode(json, context, new Map());
}

function decode(json: JsonObject, context: DecodeContext, scope: Scope): Plan | undefined {
  const type = textAt(json, "type");
  const children = objectsAt(json, "children");
  const input = (): Plan | undefined => {
    const [child] = children;
    if (child === undefined) throw new PlanShapeError(`${type} has no input`);
    return decode(child, context, scope);
  };
  switch (type) {
    case "LOGICAL_GET":
      return decodeScan(json, context);
    case "LOGICAL_PROJECTION": {
      const child = input();
      const expressions = decodeAll(objectsAt(json, "expressions"), context);
      return child && expressions && { node: "project", input: child, expressions };
    }
    case "LOGICAL_FILTER": {
      const [below] = children;
      if (below !== undefined && isFirstRow(json, context)) {
        const [source] = objectsAt(below, "children");
        const rows = source && decode(source, context, scope);
        return rows && decodeFirstRow(below, rows, context);
      }
      const child = input();
      const conditions = decodeAll(objectsAt(json, "expressions"), context);
      if (listAt(json, "projection_map").length > 0) throw new PlanShapeError("a filter of the plan projects");
      return child && conditions && { node: "filter", input: child, conditions };
    }
    case "LOGICAL_AGGREGATE_AND_GROUP_BY":
      return decodeAggregation(json, input(), context);
    case "LOGICAL_DISTINCT":
      return decodeDistinct(json, input(), context);
    case "LOGICAL_ORDER_BY":
      return decodeOrder(json, input(), context);
    case "LOGICAL_LIMIT":
      return decodeLimit(json, input(), context);
    case "LOGICAL_UNION": {
      const inputs = children.map((child) => decode(child, context, scope));
      const known = inputs.filter((plan) => plan !== undefined);
      if (json["setop_all"] !== true)
        return nativeAt(context, context.source.first("UNION"), "the edge has no such UNION");
      return known.length === inputs.length ? { node: "union", inputs: known } : undefined;
    }
    case "LOGICAL_COMPARISON_JOIN":
    case "LOGICAL_ANY_JOIN": {
      const [left, right] = children.map((child) => decode(child, context, scope));
      return left && right && decodeJoin(json, left, right, context);
    }
    case "LOGICAL_UNNEST":
      return decodeUnnest(json, input(), context);
    case "LOGICAL_MATERIALIZED_CTE": {
      const [definition, query] = children;
      if (definition === undefined || query === undefined) throw new PlanShapeError("a CTE of the plan is incomplete");
      const inner = new Map(scope);
      inner.set(indexAt(json, "table_index"), decode(definition, context, scope));
      return decode(query, context, inner);
    }
    case "LOGICAL_CTE_REF":
      if (!scope.has(indexAt(json, "cte_index"))) throw new PlanShapeError("the plan reads an unknown CTE");
      return scope.get(indexAt(json, "cte_index"));
    default: {
      const [what, ...places] = NATIVE[type] ?? [`operator ${named(type.replace("LOGICAL_", ""))}`];
      const at = places.map((place) => context.source.first(place)).find((byte) => byte !== undefined);
      nativeAt(context, at, `the edge has no ${what}`);
      // What else the edge has not is found too, but not in what DuckDB itself put into the plan: the second side of a DELIM_JOIN, or of
      // the cross product that a scalar subquery becomes. The second side of a recursion reads the first, which is no CTE of the scope.
      const written = HALF_WRITTEN.has(type) ? children.slice(0, 1) : children;
      for (const child of written) if (textAt(child, "type") !== "LOGICAL_WINDOW") decode(child, context, scope);
      return undefined;
    }
  }
}

function decodeScan(json: JsonObject, context: DecodeContext): Plan | undefined {
  const data = json["function_data"];
  const table = isObject(data) ? data["table"] : undefined;
  if (textAt(json, "name") !== "seq_scan" || typeof table !== "string") {
    return nativeAt(
      context,
      context.source.call(textAt(json, "name")),
      `the edge has no table function ${textAt(json, "name")}`,
    );
  }
  const types = objectsAt(json, "returned_types");
  const names = listAt(json, "names");
  const columns: IrField[] = [];
  for (const { index } of objectsAt(json, "column_indexes")) {
    // The row's number stands at 2^64 - 1. DuckDB lists it for count(*) as well, which reads no column: pruning then
    // drops it, and what is left of it was asked for.
    if (typeof index === "bigint") {
      columns.push({ name: ROW_NUMBER, type: { kind: "int64" } });
      continue;
    }
    const name = typeof index === "number" ? names[index] : undefined;
    const typeJson = typeof index === "number" ? types[index] : undefined;
    const type = typeJson === undefined ? undefined : decodeType(typeJson);
    if (typeof name !== "string" || type === undefined) {
      throw new PlanShapeError(
        `column ${String(index)} of ${table} is ${typeJson === undefined ? "unknown" : typeLabel(typeJson)}`,
      );
    }
    columns.push({ name, type });
  }
  return { node: "scan", table, columns };
}

function decodeAggregation(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const groups = decodeAll(objectsAt(json, "groups"), context);
  const aggregates = objectsAt(json, "expressions").map((aggregate) =>
    decodeAggregate(aggregate, input, groups ?? [], context),
  );
  const known = aggregates.filter((aggregate) => aggregate !== undefined);
  const sets = listAt(json, "grouping_sets");
  const simple =
    sets.length === 0 || (sets.length === 1 && Array.isArray(sets[0]) && sets[0].length === groups?.length);
  if (groups !== undefined && (!simple || listAt(json, "grouping_functions").length > 0)) {
    return nativeAt(context, context.source.first("GROUPING SETS"), "the edge has no GROUPING SETS, ROLLUP and CUBE");
  }
  const nested = groups?.find((group) => !isScalar(group.type));
  if (nested !== undefined) {
    return nativeAt(context, context.source.first("GROUP BY"), `the edge has no GROUP BY of a ${sqlName(nested.type)}`);
  }
  if (input === undefined || groups === undefined || known.length < aggregates.length) return undefined;
  return { node: "aggregate", input, groups, aggregates: known };
}

function decodeDistinct(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  if (textAt(json, "distinct_type") !== "DISTINCT") {
    return nativeAt(context, context.source.first("DISTINCT ON"), "the edge has no DISTINCT ON");
  }
  if (input === undefined) return undefined;
  const nested = outputTypes(input).find((type) => !isScalar(type));
  if (nested !== undefined) {
    return nativeAt(context, undefined, `the edge has no DISTINCT over a ${sqlName(nested)}`);
  }
  return { node: "distinct", input };
}

function decodeOrder(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const by = objectsAt(json, "orders").map((order): SortKey | undefined => {
    const expression = decodeExpression(objectAt(order, "expression"), context);
    if (expression === undefined) return undefined;
    if (!isScalar(expression.type)) {
      return nativeAt(
        context,
        context.source.first("ORDER BY"),
        `the edge has no ORDER BY of a ${sqlName(expression.type)}`,
      );
    }
    return {
      expression,
      descending: textAt(order, "type") === "DESCENDING",
      nullsFirst: textAt(order, "null_order") === "NULLS FIRST",
    };
  });
  const known = by.filter((key) => key !== undefined);
  return input && known.length === by.length ? { node: "order", input, by: known } : undefined;
}

function decodeLimit(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const bound = (key: string): number | null | undefined => {
    const value = objectAt(json, key);
    if (value["type"] === "UNSET") return null;
    return value["type"] === "CONSTANT_VALUE" ? indexAt(value, "constant_integer") : undefined;
  };
  const limit = bound("limit_val");
  const offset = bound("offset_val");
  if (limit === undefined || offset === undefined) {
    return nativeAt(context, context.source.first("LIMIT"), "the edge has no LIMIT that is computed or in percent");
  }
  return input && { node: "limit", input, limit, offset: offset ?? 0 };
}

function decodeUnnest(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const [unnest, ...others] = objectsAt(json, "expressions");
  if (unnest === undefined || others.length > 0) {
    return nativeAt(context, context.source.call("unnest"), "the edge has one unnest in a SELECT");
  }
  const list = decodeExpression(objectAt(unnest, "child"), context);
  return input && list && { node: "unnest", input, list };
}
