/** Expressions of DuckDB's plan, read as far as determinism asks: which columns they are, and which they name. */
import { isObject, type Json, type JsonObject, listAt, objectAt, objectsAt, textAt } from "../json.ts";

/** The position of the column that an expression is, unchanged; undefined where it is computed. `input` is the operator below. */
export function columnOf(expression: JsonObject, input?: JsonObject): number | undefined {
  const { index, binding } = expression;
  if (expression["expression_class"] === "BOUND_REF") return typeof index === "number" ? index : undefined;
  // DuckDB leaves the columns of a table function's argument unresolved.
  if (isObject(binding) && binding["table_index"] === input?.["table_index"]) {
    const column = binding["column_index"];
    return typeof column === "number" ? column : undefined;
  }
  return undefined;
}

/** The columns that expressions are, unchanged. */
export function columnsIn(expressions: readonly JsonObject[]): Set<number> {
  return new Set(expressions.map((each) => columnOf(each)).filter((index) => index !== undefined));
}

/** What an expression computes, as a text that two of the same kind share. */
export function textOf(expression: JsonObject): string {
  return JSON.stringify(expression, (key, value: unknown) =>
    key === "query_location" || key === "alias" ? undefined : typeof value === "bigint" ? String(value) : value,
  );
}

/** The expressions by which a window, an aggregate, a LIMIT or a DISTINCT ON is ordered. */
export function orderedBy(orders: readonly JsonObject[]): readonly JsonObject[] {
  return orders.map((order) => objectAt(order, "expression"));
}

/** The orders inside an object such as `order_bys`; none where it is null. */
export function ordersAt(json: JsonObject, key: string): readonly JsonObject[] {
  const orders = json[key];
  return isObject(orders) ? orderedBy(objectsAt(orders, "orders")) : [];
}

/** All parts of an AND. */
export function conjuncts(expressions: readonly JsonObject[]): readonly JsonObject[] {
  return expressions.flatMap((each) =>
    each["expression_class"] === "BOUND_CONJUNCTION" && each["type"] === "CONJUNCTION_AND"
      ? conjuncts(objectsAt(each, "children"))
      : [each],
  );
}

const EQUAL = new Set<Json | undefined>(["COMPARE_EQUAL", "COMPARE_NOT_DISTINCT_FROM"]);

/** The columns that a comparison says are equal. */
export function equatedBy(comparison: JsonObject): readonly [number, number] | undefined {
  if (!EQUAL.has(comparison["comparison"] ?? comparison["type"])) return undefined;
  if (!isObject(comparison["left"]) || !isObject(comparison["right"])) return undefined;
  const [left, right] = [columnOf(comparison["left"]), columnOf(comparison["right"])];
  return left === undefined || right === undefined ? undefined : [left, right];
}

/** The calls of functions anywhere in a plan. */
export function callsIn(json: Json | undefined): readonly JsonObject[] {
  if (Array.isArray(json)) return json.flatMap(callsIn);
  if (!isObject(json)) return [];
  const inner = Object.values(json).flatMap(callsIn);
  return json["expression_class"] === "BOUND_FUNCTION" ? [json, ...inner] : inner;
}

/** Whether a call is of DuckDB's own, which fails where a scalar subquery gives two rows. */
export function guardsSubquery(call: JsonObject): boolean {
  if (textAt(call, "name") !== "error") return false;
  const [message] = listAt(call, "children");
  const value = isObject(message) ? message["value"] : undefined;
  return isObject(value) && String(value["value"]).startsWith("More than one row returned by a subquery");
}
