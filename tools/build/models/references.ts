/** Which tables a statement names, and the order in which models can be compiled by that. */
import { isObject, type Json, type JsonObject } from "./json.ts";

export interface TableReference {
  readonly table: string;
  /** The byte of the statement at which it is named first; undefined where DuckDB does not say. */
  readonly byte: number | undefined;
}

/** The tables of a syntax tree in lower case, each once; common table expressions are none. */
export function tableReferences(tree: readonly JsonObject[]): readonly TableReference[] {
  const found = new Map<string, TableReference>();
  const defined = new Set<string>();
  const visit = (json: Json | undefined): void => {
    if (Array.isArray(json)) for (const item of json) visit(item);
    if (!isObject(json)) return;
    const name = json["table_name"];
    const table = typeof name === "string" ? name.toLowerCase() : "";
    if (json["type"] === "BASE_TABLE" && !found.has(table)) {
      const byte = json["query_location"];
      found.set(table, { table, byte: typeof byte === "number" ? byte : undefined });
    }
    const ctes = json["cte_map"];
    for (const cte of isObject(ctes) && Array.isArray(ctes["map"]) ? ctes["map"] : []) {
      if (isObject(cte) && typeof cte["key"] === "string") defined.add(cte["key"].toLowerCase());
    }
    for (const value of Object.values(json)) visit(value);
  };
  visit([...tree]);
  return [...found.values()].filter(({ table }) => !defined.has(table));
}

/** The names so that each stands behind those it reads; and the cycles, each as the names on it, in the order of reading. */
export function inputsFirst(reads: ReadonlyMap<string, readonly string[]>): {
  readonly order: readonly string[];
  readonly cycles: readonly (readonly string[])[];
} {
  const order: string[] = [];
  const cycles: (readonly string[])[] = [];
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (name: string): void => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open") {
      cycles.push(path.slice(path.indexOf(name)));
      return;
    }
    state.set(name, "open");
    path.push(name);
    for (const input of reads.get(name) ?? []) if (reads.has(input)) visit(input);
    path.pop();
    state.set(name, "done");
    order.push(name);
  };
  for (const name of reads.keys()) visit(name);
  return { order, cycles };
}
