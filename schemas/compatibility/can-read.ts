/**
 * Whether data of one schema can be read by another: the resolution rules of the Avro specification 1.12 ("Schema
 * Resolution") for the subset of `avro-schema.ts`, decided from the schemas alone, so that "yes" holds for every value.
 *
 * Stricter than the specification in one point: a logical type only reads itself. A number of microseconds that becomes a
 * plain long would decode, but as JSON and as a column it would be another value.
 */
import { type AvroRecord, type AvroType, unwrapOptional } from "../avro-schema.ts";

/** A place in a schema's JSON document: `["fields", 3, "type", "items"]`. */
export type SchemaPath = readonly (string | number)[];

export type IncompatibilityKind = "MISSING_DEFAULT" | "TYPE" | "RECORD_NAME" | "NULL" | "DECIMAL" | "LOGICAL_TYPE";

/** One reason why a reader cannot read what a writer wrote. */
export interface Incompatibility {
  readonly kind: IncompatibilityKind;
  /** Where, in the reader's document and in the writer's; the nearest enclosing value where one of them has nothing there. */
  readonly readerPath: SchemaPath;
  readonly writerPath: SchemaPath;
  /** The field, as contracts name it: `items.unit_price`. Empty for the record itself. */
  readonly field: string;
  /** What differs and what to do about it. */
  readonly message: string;
}

/** Every reason why `reader` cannot read what `writer` wrote; none means that it can. */
export function canRead(reader: AvroType, writer: AvroType): Incompatibility[] {
  return compare({ reader, writer, readerPath: [], writerPath: [], field: "" });
}

interface Pair<Reader, Writer = Reader> {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly readerPath: SchemaPath;
  readonly writerPath: SchemaPath;
  readonly field: string;
}

// Every branch that may be written must be read by a branch of the reader; null only meets null.
function compare(pair: Pair<AvroType>): Incompatibility[] {
  const read = branches(pair.reader, pair.readerPath);
  return branches(pair.writer, pair.writerPath).flatMap((written) => {
    const branch = read.find(({ type }) => (type === "null") === (written.type === "null"));
    if (branch !== undefined) {
      return compareValues({
        field: pair.field,
        reader: branch.type,
        writer: written.type,
        readerPath: branch.path,
        writerPath: written.path,
      });
    }
    const values = written.type === "null" ? "null" : "a value";
    return reason(
      pair,
      "NULL",
      `${values} may be written, which the reader does not take: keep it as optional as it was`,
    );
  });
}

type Plain = ReturnType<typeof unwrapOptional>["type"];

function branches(type: AvroType, path: SchemaPath): { readonly type: Plain; readonly path: SchemaPath }[] {
  const { type: inner, nullable } = unwrapOptional(type);
  if (!nullable || !Array.isArray(type)) return [{ type: inner, path }];
  return type.map((branch, index) => ({ type: unwrapOptional(branch).type, path: [...path, index] }));
}

/** What the specification calls promotion: which written primitives a reader's primitive takes besides its own. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  long: ["int"],
  double: ["int", "long"],
  string: ["bytes"],
  bytes: ["string"],
};

function compareValues(pair: Pair<Plain>): Incompatibility[] {
  const { reader, writer, readerPath, writerPath } = pair;
  if (typeof reader === "string" || typeof writer === "string") {
    if (reader === writer) return [];
    const primitives = typeof reader === "string" && typeof writer === "string";
    if (primitives && PROMOTIONS[reader]?.includes(writer) === true) return [];
    return reason(pair, baseOf(reader) === baseOf(writer) ? "LOGICAL_TYPE" : "TYPE", differs(reader, writer));
  }
  if (reader.type === "array" && writer.type === "array") {
    return compare({
      field: pair.field,
      reader: reader.items,
      writer: writer.items,
      readerPath: [...readerPath, "items"],
      writerPath: [...writerPath, "items"],
    });
  }
  if (reader.type === "record" && writer.type === "record") return compareRecords({ ...pair, reader, writer });
  if (reader.type !== writer.type) return reason(pair, "TYPE", differs(reader, writer));
  const decimals = reader.type === "bytes" && writer.type === "bytes";
  if (decimals && (reader.precision !== writer.precision || reader.scale !== writer.scale))
    return reason(pair, "DECIMAL", differs(reader, writer));
  return [];
}

function compareRecords(pair: Pair<AvroRecord>): Incompatibility[] {
  const { reader, writer, readerPath, writerPath, field: parent } = pair;
  const fields = reader.fields.flatMap((field, index) => {
    const at = writer.fields.findIndex(({ name }) => name === field.name);
    const written = writer.fields[at];
    const path = { field: parent === "" ? field.name : `${parent}.${field.name}`, writerPath };
    const fieldPath = [...readerPath, "fields", index];
    if (written !== undefined) {
      return compare({
        ...path,
        reader: field.type,
        writer: written.type,
        readerPath: [...fieldPath, "type"],
        writerPath: [...writerPath, "fields", at, "type"],
      });
    }
    if (field.default !== undefined) return [];
    const message = "the reader demands it and the writer does not have it: keep the field, or give it a default";
    return reason({ ...path, readerPath: fieldPath }, "MISSING_DEFAULT", message);
  });
  // Namespaces do not count (specification 1.12, "Schema Resolution").
  if (unqualified(reader.name) === unqualified(writer.name)) return fields;
  const message = `the record is named ${reader.name} in the reader and ${writer.name} in the writer: keep the name`;
  return [...reason(pair, "RECORD_NAME", message), ...fields];
}

function reason(
  { readerPath, writerPath, field }: Omit<Incompatibility, "kind" | "message">,
  kind: IncompatibilityKind,
  what: string,
): Incompatibility[] {
  return [{ kind, readerPath, writerPath, field, message: field === "" ? what : `field "${field}": ${what}` }];
}

function differs(reader: Plain, writer: Plain): string {
  return `read as ${nameOf(reader)} but written as ${nameOf(writer)}: keep its type, and add a field of the new type beside it`;
}

function baseOf(type: Plain): string {
  return typeof type === "string" ? type : type.type;
}

function nameOf(type: Plain): string {
  if (typeof type === "string") return type;
  if (!("logicalType" in type)) return type.type;
  return type.logicalType === "decimal" ? `decimal(${type.precision},${type.scale})` : type.logicalType;
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
