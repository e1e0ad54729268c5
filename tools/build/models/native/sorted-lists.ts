import { isObject, type Json, type JsonObject, objectsAt } from "../json.ts";
import { columnOf } from "./expressions.ts";

/**
 * The `list` aggregates of a plan whose lists are sorted before anybody sees them. DuckDB makes `list_sort(list(k))` of
 * `list(k ORDER BY k)`: an order by the value itself is no order of rows any more.
 */
export function sortedLists(plan: JsonObject): ReadonlySet<JsonObject> {
  const found = new Set<JsonObject>();
  const visit = (json: JsonObject): void => {
    const children = objectsAt(json, "children");
    if (json["type"] === "LOGICAL_PROJECTION") for (const each of sortedBelow(json)) found.add(each);
    children.forEach(visit);
  };
  visit(plan);
  return found;
}

function sortedBelow(projection: JsonObject): readonly JsonObject[] {
  const expressions = [...objectsAt(projection, "expressions")];
  let [below] = objectsAt(projection, "children");
  while (below?.["type"] === "LOGICAL_FILTER") {
    expressions.push(...objectsAt(below, "expressions"));
    [below] = objectsAt(below, "children");
  }
  if (below?.["type"] !== "LOGICAL_AGGREGATE_AND_GROUP_BY") return [];
  const first = objectsAt(below, "groups").length;
  const open = new Set(expressions.flatMap(unsorted));
  return objectsAt(below, "expressions").filter(
    (aggregate, index) => aggregate["name"] === "list" && !open.has(first + index),
  );
}

/** The columns that an expression reads in any other way than to sort their lists. */
function unsorted(json: Json | undefined): readonly number[] {
  if (Array.isArray(json)) return json.flatMap(unsorted);
  if (!isObject(json)) return [];
  const own = columnOf(json);
  if (own !== undefined) return [own];
  if (json["expression_class"] !== "BOUND_FUNCTION" || json["name"] !== "list_sort")
    return Object.values(json).flatMap(unsorted);
  const [list, ...others] = objectsAt(json, "children");
  return [...(list !== undefined && columnOf(list) === undefined ? unsorted(list) : []), ...others.flatMap(unsorted)];
}
