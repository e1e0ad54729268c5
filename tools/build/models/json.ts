/** DuckDB's plan JSON, read without losing digits: an integer beyond 2^53 is a bigint (DuckDB writes 64-bit numbers bare). */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Parses JSON; integers that a double cannot hold come from the reviver's `source` text. */
export function parseJson(text: string): Json {
  return JSON.parse(text, (_key: string, value: Json, ...context: unknown[]): Json => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const [details] = context;
    const source =
      typeof details === "object" && details !== null && "source" in details ? String(details.source) : String(value);
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

/** The shape of DuckDB's plan is not what this compiler knows: another version of DuckDB than the pinned one. */
export class PlanShapeError extends Error {
  override readonly name = "PlanShapeError";
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The object at `key`. Throws `PlanShapeError` when there is none; so do the other readers. */
export function objectAt(node: JsonObject, key: string): JsonObject {
  const value = node[key];
  if (!isObject(value)) throw new PlanShapeError(`the plan has no object at ${key}`);
  return value;
}

/** The list at `key`; an absent one is empty. */
export function listAt(node: JsonObject, key: string): readonly Json[] {
  const value = node[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new PlanShapeError(`the plan has no list at ${key}`);
  return value;
}

export function objectsAt(node: JsonObject, key: string): readonly JsonObject[] {
  return listAt(node, key).map((item) => {
    if (!isObject(item)) throw new PlanShapeError(`the plan's ${key} holds something that is no object`);
    return item;
  });
}

export function textAt(node: JsonObject, key: string): string {
  const value = node[key];
  if (typeof value !== "string") throw new PlanShapeError(`the plan has no text at ${key}`);
  return value;
}

/** A number, or a bigint when it is beyond 2^53. */
export function integerAt(node: JsonObject, key: string): number | bigint {
  const value = node[key];
  if (typeof value !== "number" && typeof value !== "bigint")
    throw new PlanShapeError(`the plan has no number at ${key}`);
  return value;
}

export function indexAt(node: JsonObject, key: string): number {
  const value = integerAt(node, key);
  if (typeof value !== "number") throw new PlanShapeError(`the plan's ${key} is beyond 2^53`);
  return value;
}
