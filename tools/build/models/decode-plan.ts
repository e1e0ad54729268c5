import type { IrField, Plan, SortKey } from "../../../lakehouse/engine/ir/ir.ts";
import { isScalar, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { decodeAggregate } from "./decode-aggregate.ts";
import { type DecodeContext, reportAt } from "./decode-context.ts";
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

/** Common table expressions in scope, by the plan's index: they are inlined where they are read. */
type Scope = ReadonlyMap<Json, Plan | undefined>;

const REFUSED: Readonly<
  Record<string, { readonly problem: string; readonly fix: string; readonly at?: "JOIN" | "WINDOW" | "SUBQUERY" }>
> = {
  LOGICAL_ASOF_JOIN: {
    problem: "ASOF JOIN needs the native builder: models cannot use it yet",
    fix: "join by equal keys (docs/model-sql.md)",
    at: "JOIN",
  },
  LOGICAL_POSITIONAL_JOIN: { problem: "positional joins depend on the order of rows", fix: "leave it out", at: "JOIN" },
  LOGICAL_CROSS_PRODUCT: {
    problem: "cross products (`FROM a, b`) and scalar subqueries are not supported",
    fix: "write JOIN ... ON with equal keys",
    at: "SUBQUERY",
  },
  LOGICAL_DELIM_JOIN: {
    problem: "correlated subqueries, EXISTS and `FROM t, unnest(t.list)` (DELIM_JOIN) are not supported",
    fix: "for a list, use unnest in the SELECT list; for EXISTS, SEMI JOIN or ANTI JOIN",
    at: "SUBQUERY",
  },
  LOGICAL_WINDOW: {
    problem: "window functions need the native builder: models cannot use them yet",
    fix: "use GROUP BY, or QUALIFY row_number() OVER (...) = 1 (docs/model-sql.md)",
    at: "WINDOW",
  },
  LOGICAL_SAMPLE: { problem: "a sample differs from run to run", fix: "leave it out" },
  LOGICAL_EXCEPT: { problem: "EXCEPT is not yet supported", fix: "write it as a filter" },
  LOGICAL_INTERSECT: { problem: "INTERSECT is not yet supported", fix: "write it as a filter" },
  LOGICAL_RECURSIVE_CTE: { problem: "recursive queries are not supported", fix: "write it without recursion" },
  LOGICAL_DUMMY_SCAN: { problem: "a SELECT without a table is not supported", fix: "select from an input table" },
  LOGICAL_EXPRESSION_GET: { problem: "VALUES is not supported", fix: "use CASE for small mappings" },
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
        return reportAt(context, undefined, "this UNION is not supported", "use UNION ALL");
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
      // The other problems of the query are reported too, but not those of what DuckDB itself put into the plan: the
      // second side of a DELIM_JOIN, or of the cross product that a scalar subquery becomes.
      // The second side of a recursion reads the first, which is no CTE of the scope.
      const written = HALF_WRITTEN.has(type) ? children.slice(0, 1) : children;
      for (const child of written) if (textAt(child, "type") !== "LOGICAL_WINDOW") decode(child, context, scope);
      const refusal = REFUSED[type] ?? {
        problem: `the operator ${type} is not supported`,
        fix: "write it another way",
      };
      return reportAt(context, refusedAt(refusal.at, context), refusal.problem, refusal.fix);
    }
  }
}

function refusedAt(what: "JOIN" | "WINDOW" | "SUBQUERY" | undefined, { source }: DecodeContext): number | undefined {
  if (what === undefined || what === "WINDOW") return what && source.first(what);
  if (what === "JOIN") return source.first("JOIN") ?? source.first("SUBQUERY");
  return source.first("SUBQUERY") ?? source.call("unnest") ?? source.first("JOIN");
}

function decodeScan(json: JsonObject, context: DecodeContext): Plan | undefined {
  const data = json["function_data"];
  const table = isObject(data) ? data["table"] : undefined;
  if (textAt(json, "name") !== "seq_scan" || typeof table !== "string") {
    return reportAt(
      context,
      context.source.call(textAt(json, "name")),
      `${textAt(json, "name")} is no input table`,
      "select from an input table",
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
    return reportAt(
      context,
      undefined,
      "GROUPING SETS, ROLLUP and CUBE are not supported",
      "write one model per grouping",
    );
  }
  const nested = groups?.find((group) => !isScalar(group.type));
  if (nested !== undefined) {
    return reportAt(context, undefined, `GROUP BY of a ${sqlName(nested.type)} is not supported`, "group by its parts");
  }
  if (input === undefined || groups === undefined || known.length < aggregates.length) return undefined;
  return { node: "aggregate", input, groups, aggregates: known };
}

function decodeDistinct(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  if (textAt(json, "distinct_type") !== "DISTINCT") {
    return reportAt(
      context,
      undefined,
      "DISTINCT ON keeps a row that depends on the order",
      "use GROUP BY with min or max",
    );
  }
  if (input === undefined) return undefined;
  const nested = outputTypes(input).find((type) => !isScalar(type));
  if (nested !== undefined) {
    return reportAt(context, undefined, `DISTINCT over a ${sqlName(nested)} is not supported`, "leave the column out");
  }
  return { node: "distinct", input };
}

function decodeOrder(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const by = objectsAt(json, "orders").map((order): SortKey | undefined => {
    const expression = decodeExpression(objectAt(order, "expression"), context);
    if (expression === undefined) return undefined;
    if (!isScalar(expression.type)) {
      return reportAt(
        context,
        undefined,
        `ORDER BY of a ${sqlName(expression.type)} is not supported`,
        "order by its parts",
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
    return reportAt(context, undefined, "LIMIT and OFFSET must be constant numbers of rows", "write the number");
  }
  return input && { node: "limit", input, limit, offset: offset ?? 0 };
}

function decodeUnnest(json: JsonObject, input: Plan | undefined, context: DecodeContext): Plan | undefined {
  const [unnest, ...others] = objectsAt(json, "expressions");
  if (unnest === undefined || others.length > 0) {
    return reportAt(
      context,
      context.source.call("unnest"),
      "more than one unnest in a SELECT is not supported",
      "unnest a list of structs",
    );
  }
  const list = decodeExpression(objectAt(unnest, "child"), context);
  return input && list && { node: "unnest", input, list };
}
