import { isObject, type Json, type JsonObject } from "./json.ts";

/** Finds places in the SQL for parts of the plan that carry none, by the syntax tree. */
export interface SourceMap {
  /** The byte of the next call of the function, with OVER or without, that was not given out yet. */
  call(name: string): number | undefined;
  /** The byte of the first clause of this name: JOIN, a kind of join such as ASOF or FULL, WINDOW, SUBQUERY, LIMIT, DISTINCT ON, ... */
  first(what: string): number | undefined;
}

export function createSourceMap(statement: JsonObject): SourceMap {
  const calls = new Map<string, number[]>();
  const firsts = new Map<string, number>();
  const note = (what: Json | undefined, json: Json | undefined): void => {
    const byte = isObject(json) ? json["query_location"] : undefined;
    if (typeof what === "string" && typeof byte === "number")
      firsts.set(what, Math.min(byte, firsts.get(what) ?? byte));
  };
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    const name = json["function_name"];
    const location = json["query_location"];
    if (typeof location === "number" && typeof name === "string") {
      calls.set(
        name,
        [...(calls.get(name) ?? []), location].sort((a, b) => a - b),
      );
    }
    for (const key of ["class", "type", "ref_type", "join_type"]) note(json[key], json);
    note("LIMIT", json["limit"]);
    noteClauses(json, note);
    for (const value of Object.values(json)) visit(value);
  };
  visit(statement);
  return {
    call: (name) => calls.get(name)?.shift(),
    first: (what) => firsts.get(what),
  };
}

/** Clauses that stand where their first expression does. */
function noteClauses(json: JsonObject, note: (what: Json | undefined, json: Json | undefined) => void): void {
  const { group_expressions: groups, group_sets: sets, distinct_on_targets: targets, orders } = json;
  if (Array.isArray(groups)) note("GROUP BY", groups[0]);
  if (Array.isArray(groups) && Array.isArray(sets) && sets.length > 1) note("GROUPING SETS", groups[0]);
  if (Array.isArray(targets)) note("DISTINCT ON", targets[0]);
  if (Array.isArray(orders) && isObject(orders[0])) note("ORDER BY", orders[0]["expression"]);
  const { setop_type: operation, right } = json;
  if (operation !== undefined && isObject(right) && Array.isArray(right["select_list"]))
    note(operation, right["select_list"][0]);
}
