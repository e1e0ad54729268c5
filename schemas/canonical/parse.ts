/**
 * Any Avro schema (specification 1.12, "Schema Declaration") as a normalised tree: names in full, attributes in one order,
 * documentation, aliases and unknown attributes gone. For schemas that come from outside; nothing here generates code.
 */

import {
  fullName,
  isFullName,
  isPrimitive,
  memberProblem,
  namespaceOf,
  type PrimitiveName,
  typeNameProblem,
} from "./names.ts";

/** What a logical type says beside its underlying type; members that are absent are undefined in the source too. */
export interface Logical {
  readonly logicalType: string;
  readonly precision?: number;
  readonly scale?: number;
}
export interface PrimitiveNode {
  readonly kind: "primitive";
  readonly type: PrimitiveName;
  readonly logical: Logical | null;
}
export interface FixedNode {
  readonly kind: "fixed";
  readonly name: string;
  readonly size: number;
  readonly logical: Logical | null;
}
export interface EnumNode {
  readonly kind: "enum";
  readonly name: string;
  readonly symbols: readonly string[];
}
export interface FieldNode {
  readonly name: string;
  readonly type: SchemaNode;
  /** Absent when the field has none; a default of null is present. */
  readonly default?: unknown;
}
export interface RecordNode {
  readonly kind: "record";
  readonly name: string;
  readonly fields: readonly FieldNode[];
}
export type SchemaNode =
  | PrimitiveNode
  | FixedNode
  | EnumNode
  | RecordNode
  | { readonly kind: "reference"; readonly name: string }
  | { readonly kind: "array" | "map"; readonly values: SchemaNode }
  | { readonly kind: "union"; readonly branches: readonly SchemaNode[] };

type Path = readonly (string | number)[];

/** Thrown for what is not an Avro schema; the message names the place and what is wrong there. */
export class InvalidSchema extends Error {
  override readonly name = "InvalidSchema";
  /** The place, in the schema's JSON document. */
  readonly path: Path;
  readonly reason: string;

  constructor(path: Path, reason: string) {
    super(`${["schema", ...path].join(".")}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/** Steps into the document: deeper than any schema people write (a record is three), and far below the stack's end. */
const MAX_DEPTH = 150;

interface Scope {
  readonly namespace: string;
  /** Full names that are defined so far, in the order of the document. */
  readonly defined: Set<string>;
  readonly path: Path;
}

/** Parses a schema's JSON text; a bare primitive name without quotes is taken too, as registries do. Throws InvalidSchema. */
export function parseSchemaText(text: string): SchemaNode {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (isPrimitive(text)) return { kind: "primitive", type: text, logical: null };
    throw new InvalidSchema([], `not JSON: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  return parseSchema(json);
}

/** Parses a schema's JSON value. Throws InvalidSchema. */
export function parseSchema(json: unknown): SchemaNode {
  return parse(json, { namespace: "", defined: new Set(), path: [] });
}

function parse(json: unknown, scope: Scope): SchemaNode {
  if (scope.path.length > MAX_DEPTH) throw new InvalidSchema(scope.path, `nested deeper than ${MAX_DEPTH} steps`);
  if (typeof json === "string") return parseName(json, scope);
  if (Array.isArray(json)) return parseUnion(json, scope);
  if (!isObject(json)) throw new InvalidSchema(scope.path, `expected a type, got ${JSON.stringify(json)}`);
  const type = json["type"];
  if (typeof type !== "string") return parse(type, within(scope, "type"));
  switch (type) {
    case "record":
    case "enum":
    case "fixed":
      return parseNamed(type, json, scope);
    case "array":
      return { kind: "array", values: parse(json["items"], within(scope, "items")) };
    case "map":
      return { kind: "map", values: parse(json["values"], within(scope, "values")) };
    default:
      if (!isPrimitive(type)) return parseName(type, scope);
      return { kind: "primitive", type, logical: logicalOf(json) };
  }
}

function parseName(name: string, scope: Scope): SchemaNode {
  if (isPrimitive(name)) return { kind: "primitive", type: name, logical: null };
  const full = fullName(name, scope.namespace);
  if (!scope.defined.has(full)) throw new InvalidSchema(scope.path, `there is no type ${JSON.stringify(full)}`);
  return { kind: "reference", name: full };
}

function parseUnion(json: readonly unknown[], scope: Scope): SchemaNode {
  const branches = json.map((branch, index) => parse(branch, within(scope, index)));
  const seen = new Set<string>();
  for (const branch of branches) {
    if (branch.kind === "union") throw new InvalidSchema(scope.path, `a union may not hold a union`);
    const name = branch.kind === "primitive" ? branch.type : "name" in branch ? branch.name : branch.kind;
    if (seen.has(name)) throw new InvalidSchema(scope.path, `the union holds ${name} twice`);
    seen.add(name);
  }
  return { kind: "union", branches };
}

function parseNamed(
  kind: "record" | "enum" | "fixed",
  json: Readonly<Record<string, unknown>>,
  scope: Scope,
): SchemaNode {
  const { name: own, namespace = scope.namespace } = json;
  if (typeof own !== "string" || typeof namespace !== "string")
    throw new InvalidSchema(scope.path, `a ${kind} needs a name`);
  const name = fullName(own, namespace);
  const problem = typeNameProblem(name, scope.defined) ?? aliasProblem(json);
  if (problem !== undefined) throw new InvalidSchema(scope.path, problem);
  scope.defined.add(name);
  if (kind === "enum") return { kind, name, symbols: symbolsOf(json, scope) };
  if (kind === "fixed") {
    const size = json["size"];
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw new InvalidSchema(scope.path, `a fixed needs a size`);
    return { kind, name, size, logical: logicalOf(json) };
  }
  const fields = json["fields"];
  if (!Array.isArray(fields)) throw new InvalidSchema(scope.path, `a record needs fields`);
  const names = memberProblem(
    "field",
    fields.map((field: unknown) => (isObject(field) ? field["name"] : undefined)),
  );
  if (names !== undefined) throw new InvalidSchema([...scope.path, "fields", names.index], names.message);
  const inner = { ...scope, namespace: namespaceOf(name) };
  return {
    kind,
    name,
    fields: fields.map((field: unknown, index) => parseField(field, within(inner, "fields", index))),
  };
}

function parseField(field: unknown, scope: Scope): FieldNode {
  if (!isObject(field) || typeof field["name"] !== "string")
    throw new InvalidSchema(scope.path, "a field is an object with a name");
  const aliases = aliasProblem(field);
  if (aliases !== undefined) throw new InvalidSchema(scope.path, aliases);
  const { name } = field;
  const type = parse(field["type"], within(scope, "type"));
  return Object.hasOwn(field, "default") ? { name, type, default: field["default"] } : { name, type };
}

/** Aliases are other names, so they keep to the form of names; nothing here reads them. */
function aliasProblem({ aliases }: Readonly<Record<string, unknown>>): string | undefined {
  if (aliases === undefined) return undefined;
  if (!Array.isArray(aliases)) return "aliases are a list of names";
  const wrong: unknown = aliases.find((alias: unknown) => typeof alias !== "string" || !isFullName(alias));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is not the name of an alias`;
}

function symbolsOf(json: Readonly<Record<string, unknown>>, scope: Scope): string[] {
  const { symbols, default: preset } = json;
  if (!Array.isArray(symbols)) throw new InvalidSchema(scope.path, "an enum needs symbols");
  const problem = memberProblem("symbol", symbols);
  if (problem !== undefined) throw new InvalidSchema([...scope.path, "symbols", problem.index], problem.message);
  const names = symbols.filter((symbol) => typeof symbol === "string");
  if (preset !== undefined && !names.some((name) => name === preset))
    throw new InvalidSchema(scope.path, `the default ${JSON.stringify(preset)} is none of the enum's symbols`);
  return names;
}

function logicalOf(json: Readonly<Record<string, unknown>>): Logical | null {
  const { logicalType, precision, scale } = json;
  if (typeof logicalType !== "string") return null;
  return {
    logicalType,
    ...(typeof precision === "number" ? { precision } : {}),
    ...(typeof scale === "number" ? { scale } : {}),
  };
}

function within(scope: Scope, ...steps: Path): Scope {
  return { ...scope, path: [...scope.path, ...steps] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
