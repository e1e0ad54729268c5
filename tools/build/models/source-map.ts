import { isObject, type Json, type JsonObject } from "./json.ts";

/** Finds places in the SQL for parts of the plan that carry none, by the syntax tree. */
export interface SourceMap {
  /** The byte of the next call of the function that was not given out yet. */
  call(name: string): number | undefined;
  /** The byte of the first JOIN, window function or subquery. */
  first(what: "JOIN" | "WINDOW" | "SUBQUERY"): number | undefined;
}

export function createSourceMap(statement: JsonObject): SourceMap {
  const calls = new Map<string, number[]>();
  const firsts = new Map<string, number>();
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    const location = json["query_location"];
    if (typeof location === "number") {
      const name = json["function_name"];
      if (typeof name === "string" && json["class"] === "FUNCTION") {
        calls.set(
          name,
          [...(calls.get(name) ?? []), location].sort((a, b) => a - b),
        );
      }
      for (const key of ["class", "type"]) {
        const kind = json[key];
        if (typeof kind === "string") firsts.set(kind, Math.min(location, firsts.get(kind) ?? location));
      }
    }
    for (const value of Object.values(json)) visit(value);
  };
  visit(statement);
  return {
    call: (name) => calls.get(name)?.shift(),
    first: (what) => firsts.get(what),
  };
}
