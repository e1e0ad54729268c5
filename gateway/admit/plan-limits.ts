/**
 * What a schema may be for admission. The Worker makes its plans when it starts, so one that breaks a limit would take every topic
 * down: the build asks the same function first, and names the line.
 */
import { type AvroField, type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";

/** Where in the schema, as its JSON has it, and what is wrong. */
export interface PlanProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of records and arrays in each other; what an event has in unknown fields may be deeper. */
export const MAX_FIELD_DEPTH = 32;
/** Nested ones included: each is a closure of every pass, and a column of every file. */
export const MAX_FIELDS = 1_000;

type Path = readonly PropertyKey[];

/** Empty for a schema that this gateway can encode truthfully. */
export function planProblems(schema: AvroRecord): readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  let fields = 0;

  function record({ fields: members }: AvroRecord, path: Path, depth: number): void {
    fields += members.length;
    members.forEach((member, index) => {
      field(member, [...path, "fields", index], depth);
    });
  }

  function field({ name, type, default: value }: AvroField, path: Path, depth: number): void {
    // Reading an absent field of such a name would find what every object inherits.
    if (name in Object.prototype)
      problems.push({
        path: [...path, "name"],
        message: `a field cannot be named ${name}, which every object has: rename it`,
      });
    const { type: inner, nullable } = unwrapOptional(type);
    // avsc writes the default for an absent field: any but null would invent a value.
    if (nullable && value !== null)
      problems.push({
        path,
        message: `the optional field ${name} needs "default": null, which is what an absent one means`,
      });
    const at = Array.isArray(type) ? type.indexOf(inner) : -1;
    shape(inner, at < 0 ? [...path, "type"] : [...path, "type", at], name, depth + 1);
  }

  function shape(type: AvroType, path: Path, name: string, depth: number): void {
    if (depth > MAX_FIELD_DEPTH) {
      problems.push({ path, message: `${name} is nested deeper than ${MAX_FIELD_DEPTH} levels` });
    } else if (Array.isArray(type) || type === "null" || type === "bytes") {
      const found = Array.isArray(type) ? "items that may be null" : `the type ${JSON.stringify(type)}`;
      problems.push({ path, message: `${name} has ${found}, which is not supported here` });
    } else if (typeof type === "object" && "fields" in type) record(type, path, depth);
    else if (typeof type === "object" && "items" in type) shape(type.items, [...path, "items"], name, depth + 1);
  }

  record(schema, [], 0);
  if (fields > MAX_FIELDS)
    problems.push({
      path: ["fields"],
      message: `${fields} fields, nested ones included, are more than ${MAX_FIELDS}: make two topics of it`,
    });
  return problems;
}
