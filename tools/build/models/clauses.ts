import { isObject, type Json, type JsonObject } from "./json.ts";

/** Where the clauses of a statement stand, as bytes of it; the first of each kind, undefined where there is none. */
export interface Clauses {
  readonly select: number | undefined;
  readonly groupBy: number | undefined;
  readonly orderBy: number | undefined;
  /** The first call of a function that `isAggregate` knows. */
  readonly aggregate: number | undefined;
}

/** Reads the places from the syntax tree: DuckDB's plan has none for its operators. */
export function clausesOf(statement: JsonObject, isAggregate: (functionName: string) => boolean): Clauses {
  const first = new Map<keyof Clauses, number>();
  const note = (clause: keyof Clauses, json: Json | undefined): void => {
    const byte = isObject(json) ? json["query_location"] : undefined;
    if (typeof byte === "number") first.set(clause, Math.min(byte, first.get(clause) ?? byte));
  };
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    if (Array.isArray(json["group_expressions"])) note("groupBy", json["group_expressions"][0]);
    if (Array.isArray(json["select_list"])) note("select", json["select_list"][0]);
    if (Array.isArray(json["orders"])) {
      const [order] = json["orders"];
      if (isObject(order)) note("orderBy", order["expression"]);
    }
    const name = json["function_name"];
    if (typeof name === "string" && isAggregate(name)) note("aggregate", json);
    for (const value of Object.values(json)) visit(value);
  };
  visit(statement);
  return {
    select: first.get("select"),
    groupBy: first.get("groupBy"),
    orderBy: first.get("orderBy"),
    aggregate: first.get("aggregate"),
  };
}
