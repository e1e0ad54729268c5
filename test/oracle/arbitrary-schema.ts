/** Random Avro schemas of the supported subset, and pairs of them that differ by a few edits. */
import fc from "fast-check";
import { type AvroField, type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";

const scalars = fc.constantFrom<AvroType>("boolean", "int", "long", "double", "string", "bytes");
export const logicalTypes = fc.constantFrom<AvroType>(
  { type: "long", logicalType: "timestamp-micros" },
  { type: "int", logicalType: "date" },
  { type: "bytes", logicalType: "decimal", precision: 12, scale: 2 },
  { type: "bytes", logicalType: "decimal", precision: 14, scale: 2 },
);
const names = fc.constantFrom("a", "b", "c", "d", "e");

function types(leaf: fc.Arbitrary<AvroType>): fc.Arbitrary<AvroType> {
  const { type } = fc.letrec<{ type: AvroType; plain: AvroType; record: AvroType }>((tie) => ({
    type: fc.oneof(
      { maxDepth: 3 },
      { weight: 4, arbitrary: leaf },
      { weight: 1, arbitrary: tie("plain") },
      { weight: 2, arbitrary: tie("plain").map((plain): AvroType => ["null", plain]) },
    ),
    plain: fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie("type").map((items): AvroType => ({ type: "array", items })),
      tie("record"),
    ),
    record: fc
      .uniqueArray(fc.tuple(names, tie("type"), fc.boolean()), {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 4,
      })
      .map(
        (fields): AvroType => ({
          type: "record",
          name: "R",
          fields: fields.map(([name, each, given]) => fieldOf(name, each, given)),
        }),
      ),
  }));
  return type;
}

function fieldOf(name: string, type: AvroType, withDefault: boolean): AvroField {
  return withDefault ? { name, type, default: defaultOf(type) } : { name, type };
}

/** A value of the type as the specification writes defaults. */
export function defaultOf(type: AvroType): unknown {
  const { type: plain, nullable } = unwrapOptional(type);
  if (nullable) return null;
  if (typeof plain === "string")
    return { null: null, boolean: true, int: 7, long: 8, double: 1.5, string: "x", bytes: "\u0001" }[plain];
  switch (plain.type) {
    case "array":
      return [defaultOf(plain.items)];
    case "record":
      return Object.fromEntries(plain.fields.map((field) => [field.name, defaultOf(field.type)]));
    case "bytes":
      return "\u0001\u00ff";
    default:
      return 3;
  }
}

const EDITS = ["add", "remove", "retype", "optional", "required", "default", "rename", "recase"] as const;

interface Edit {
  readonly kind: (typeof EDITS)[number];
  readonly at: number;
  readonly type: AvroType;
  readonly name: string;
  readonly withDefault: boolean;
}

/** Two records of one origin, each with up to four edits anywhere in it. */
export function schemaPairs(leaf: fc.Arbitrary<AvroType> = scalars): fc.Arbitrary<readonly [AvroRecord, AvroRecord]> {
  const type = types(leaf);
  const fields = fc.uniqueArray(fc.tuple(names, type, fc.boolean()), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 4,
  });
  const edits = fc.array(
    fc.record<Edit>({ kind: fc.constantFrom(...EDITS), at: fc.nat(30), type, name: names, withDefault: fc.boolean() }),
    { maxLength: 4 },
  );
  return fc.tuple(fields, edits, edits).map(([origin, left, right]) => {
    const record: AvroRecord = {
      type: "record",
      name: "R",
      fields: origin.map(([name, each, given]) => fieldOf(name, each, given)),
    };
    const edited = (list: readonly Edit[]) => named(list.reduce(applyEdit, record), "R");
    return [edited(left), edited(right)] as const;
  });
}

export const anyScalar = fc.oneof(scalars, logicalTypes);

// Fields are counted depth first; the edit falls on number `at` modulo their count.
function applyEdit(record: AvroRecord, edit: Edit): AvroRecord {
  const state = { left: edit.at % Math.max(1, countFields(record)) };
  return editRecord(record, edit, state);
}

function countFields(type: AvroType): number {
  const { type: plain } = unwrapOptional(type);
  if (typeof plain === "string") return 0;
  if (plain.type === "array") return countFields(plain.items);
  if (plain.type !== "record") return 0;
  return plain.fields.reduce((sum, field) => sum + 1 + countFields(field.type), 0);
}

function editRecord(record: AvroRecord, edit: Edit, state: { left: number }): AvroRecord {
  let name = record.name;
  const taken = record.fields.some((field) => field.name === edit.name);
  const fields = record.fields.flatMap((field) => {
    if (state.left-- !== 0) return [withSoundDefault({ ...field, type: editType(field.type, edit, state) })];
    if (edit.kind === "recase") name += "x";
    if (edit.kind === "add") return taken ? [field] : [field, fieldOf(edit.name, edit.type, edit.withDefault)];
    if (edit.kind === "remove") return record.fields.length > 1 ? [] : [field];
    return [editField(field, edit, taken)];
  });
  return { ...record, name, fields };
}

function editField(field: AvroField, edit: Edit, taken: boolean): AvroField {
  const { type, nullable } = unwrapOptional(field.type);
  switch (edit.kind) {
    case "retype":
      return fieldOf(field.name, edit.type, edit.withDefault);
    case "optional":
      return fieldOf(field.name, nullable ? field.type : ["null", type], true);
    case "required":
      return fieldOf(field.name, type, edit.withDefault);
    case "default":
      return fieldOf(field.name, field.type, edit.withDefault);
    case "rename":
      return taken ? field : { ...field, name: edit.name };
    default:
      return field;
  }
}

function editType(type: AvroType, edit: Edit, state: { left: number }): AvroType {
  const { type: plain, nullable } = unwrapOptional(type);
  if (typeof plain === "string") return type;
  const edited: AvroType =
    plain.type === "array"
      ? { ...plain, items: editType(plain.items, edit, state) }
      : plain.type === "record"
        ? editRecord(plain, edit, state)
        : plain;
  return nullable ? ["null", edited] : edited;
}

function withSoundDefault(field: AvroField): AvroField {
  return field.default === undefined ? field : { ...field, default: defaultOf(field.type) };
}

/** Names of records are unique in a schema and the same for the same place: `R_a_item`; an edit of the name stays visible. */
function named(record: AvroRecord, path: string): AvroRecord {
  return {
    ...record,
    name: `${path}${record.name.slice(1)}`,
    fields: record.fields.map((field) => ({ ...field, type: nameType(field.type, `${path}_${field.name}`) })),
  };
}

function nameType(type: AvroType, path: string): AvroType {
  const { type: plain, nullable } = unwrapOptional(type);
  if (typeof plain === "string") return type;
  const renamed: AvroType =
    plain.type === "array"
      ? { ...plain, items: nameType(plain.items, `${path}_item`) }
      : plain.type === "record"
        ? named(plain, path)
        : plain;
  return nullable ? ["null", renamed] : renamed;
}
