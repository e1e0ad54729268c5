/**
 * Any Avro schema (specification 1.12, "Schema Declaration") as a normalised tree: names in full, attributes in one order,
 * documentation, aliases and unknown attributes gone. For schemas that come from outside; nothing here generates code.
 */

const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
export type PrimitiveName = (typeof PRIMITIVES)[number];

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

/** Thrown for what is not an Avro schema; the message names the place and what is wrong there. */
export class InvalidSchema extends Error {
  override readonly name = "InvalidSchema";
}

/** Deeper than any schema people write, and far below the stack's end. */
const MAX_DEPTH = 100;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

interface Scope {
  readonly namespace: string;
  /** Full names that are defined so far, in the order of the document. */
  readonly defined: Set<string>;
  readonly path: string;
  readonly depth: number;
}

/** Parses a schema's JSON text; a bare primitive name without quotes is taken too, as registries do. Throws InvalidSchema. */
export function parseSchemaText(text: string): SchemaNode {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (isPrimitive(text)) return { kind: "primitive", type: text, logical: null };
    throw new InvalidSchema(`the schema is not JSON: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  return parseSchema(json);
}

/** Parses a schema's JSON value. Throws InvalidSchema. */
export function parseSchema(json: unknown): SchemaNode {
  return parse(json, { namespace: "", defined: new Set(), path: "schema", depth: 0 });
}

function parse(json: unknown, scope: Scope): SchemaNode {
  if (scope.depth > MAX_DEPTH) throw new InvalidSchema(`${scope.path}: nested deeper than ${MAX_DEPTH} levels`);
  if (typeof json === "string") return parseName(json, scope);
  if (Array.isArray(json)) return parseUnion(json, scope);
  if (!isObject(json)) throw new InvalidSchema(`${scope.path}: expected a type, got ${JSON.stringify(json)}`);
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
  if (!scope.defined.has(full)) throw new InvalidSchema(`${scope.path}: there is no type ${JSON.stringify(full)}`);
  return { kind: "reference", name: full };
}

function parseUnion(json: readonly unknown[], scope: Scope): SchemaNode {
  const branches = json.map((branch, index) => parse(branch, within(scope, String(index))));
  const seen = new Set<string>();
  for (const branch of branches) {
    if (branch.kind === "union") throw new InvalidSchema(`${scope.path}: a union may not hold a union`);
    const name = branch.kind === "primitive" ? branch.type : "name" in branch ? branch.name : branch.kind;
    if (seen.has(name)) throw new InvalidSchema(`${scope.path}: the union holds ${name} twice`);
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
    throw new InvalidSchema(`${scope.path}: a ${kind} needs a name`);
  const name = fullName(own, namespace);
  if (!NAME.test(name)) throw new InvalidSchema(`${scope.path}: ${JSON.stringify(name)} is not a name`);
  if (scope.defined.has(name)) throw new InvalidSchema(`${scope.path}: ${name} is defined twice`);
  scope.defined.add(name);
  if (kind === "enum") return { kind, name, symbols: symbolsOf(json["symbols"], scope) };
  if (kind === "fixed") {
    const size = json["size"];
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw new InvalidSchema(`${scope.path}: a fixed needs a size`);
    return { kind, name, size, logical: logicalOf(json) };
  }
  const fields = json["fields"];
  if (!Array.isArray(fields)) throw new InvalidSchema(`${scope.path}: a record needs fields`);
  const inner = { ...scope, namespace: name.slice(0, Math.max(0, name.lastIndexOf("."))) };
  const parsed = fields.map((field: unknown, index) => parseField(field, within(inner, `fields.${index}`)));
  const names = new Set(parsed.map((field) => field.name));
  if (names.size < parsed.length) throw new InvalidSchema(`${scope.path}: two fields have the same name`);
  return { kind, name, fields: parsed };
}

function parseField(field: unknown, scope: Scope): FieldNode {
  if (!isObject(field)) throw new InvalidSchema(`${scope.path}: a field is an object`);
  const { name } = field;
  if (typeof name !== "string" || !NAME.test(name) || name.includes("."))
    throw new InvalidSchema(`${scope.path}: ${JSON.stringify(name)} is not a field's name`);
  const type = parse(field["type"], within(scope, "type"));
  return Object.hasOwn(field, "default") ? { name, type, default: field["default"] } : { name, type };
}

function symbolsOf(symbols: unknown, scope: Scope): string[] {
  if (!Array.isArray(symbols)) throw new InvalidSchema(`${scope.path}: an enum needs symbols`);
  return symbols.map((symbol: unknown) => {
    if (typeof symbol === "string" && NAME.test(symbol) && !symbol.includes(".")) return symbol;
    throw new InvalidSchema(`${scope.path}: ${JSON.stringify(symbol)} is not a symbol`);
  });
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

function fullName(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

function within(scope: Scope, step: string): Scope {
  return { ...scope, path: `${scope.path}.${step}`, depth: scope.depth + 1 };
}

function isPrimitive(name: string): name is PrimitiveName {
  return PRIMITIVES.some((primitive) => primitive === name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
