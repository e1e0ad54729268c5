/** What differs between the fields of two schemas, field by field. Pure. */
import { type AvroRecord, type AvroType, unwrapOptional } from "../avro-schema.ts";

export interface FieldDifference {
  /** Names from the event down; `*` is every item of an array. */
  readonly path: readonly string[];
  readonly change: "added" | "removed" | "changed";
  /** The type, and what it was. */
  readonly detail: string;
}

/** The differences in the order of the newer schema's fields, removed ones last; `before` is null for a first version. */
export function fieldDifferences(before: AvroRecord | null, after: AvroRecord): FieldDifference[] {
  const old = new Map(
    before === null ? [] : [...fieldsOf(before, [])].map((field) => [JSON.stringify(field.path), field]),
  );
  const now = [...fieldsOf(after, [])];
  const present = new Set(now.map(({ path }) => JSON.stringify(path)));
  return [
    ...now.flatMap(({ path, type }): FieldDifference[] => {
      const earlier = old.get(JSON.stringify(path));
      if (earlier === undefined) return [{ path, change: "added", detail: type }];
      return earlier.type === type ? [] : [{ path, change: "changed", detail: `${type}, was ${earlier.type}` }];
    }),
    ...[...old.values()]
      .filter(({ path }) => !present.has(JSON.stringify(path)))
      .map(({ path, type }): FieldDifference => ({ path, change: "removed", detail: `was ${type}` })),
  ];
}

interface TypedField {
  readonly path: readonly string[];
  readonly type: string;
}

function* fieldsOf(record: AvroRecord, parent: readonly string[]): Generator<TypedField> {
  for (const { name, type } of record.fields) yield* typedValue(type, [...parent, name]);
}

function* typedValue(avro: AvroType, path: readonly string[]): Generator<TypedField> {
  const { type, nullable } = unwrapOptional(avro);
  yield { path, type: `${nameOf(type)}${nullable ? ", optional" : ""}` };
  if (typeof type === "string") return;
  if (type.type === "record") yield* fieldsOf(type, path);
  if (type.type === "array") yield* typedValue(type.items, [...path, "*"]);
}

function nameOf(type: ReturnType<typeof unwrapOptional>["type"]): string {
  if (typeof type === "string") return type;
  if (type.type === "bytes") return `decimal(${type.precision}, ${type.scale})`;
  return "logicalType" in type ? type.logicalType : type.type;
}
