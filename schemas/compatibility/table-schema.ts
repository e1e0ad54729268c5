/**
 * The schema of a topic's tables: one that holds the rows of every version. Fields stand as the newest version has them;
 * one that a version lacks is filled with its default or is null, one that the newest version dropped stays, as null for
 * new rows; a type that was widened is the wider one. Where compatibility is FULL_TRANSITIVE that is the newest version
 * and what it dropped; weaker modes may leave versions that no one table holds. A default stands only where a version lacks
 * the field: it is what fills that version's rows.
 */
import { type AvroField, type AvroRecord, type AvroType, unwrapOptional } from "../avro-schema.ts";

/** A field whose versions do not fit one column. */
export interface TableConflict {
  /** As contracts name it: `items.unit_price`. */
  readonly field: string;
  readonly message: string;
}

export interface TableSchema {
  readonly schema: AvroRecord;
  readonly conflicts: readonly TableConflict[];
}

/** Merges the versions, oldest first. With conflicts the schema has the newest version's type in their place. Throws RangeError without any version. */
export function tableSchema(versions: readonly AvroRecord[]): TableSchema {
  const conflicts: TableConflict[] = [];
  return { schema: mergeRecords(versions, "", conflicts), conflicts };
}

function mergeRecords(versions: readonly AvroRecord[], parent: string, conflicts: TableConflict[]): AvroRecord {
  const newest = versions.at(-1);
  if (newest === undefined) throw new RangeError("a table needs at least one schema version");
  const names = new Set([...versions].reverse().flatMap((version) => version.fields.map(({ name }) => name)));
  const fields = [...names].map((name): AvroField => {
    const present = versions.flatMap((version) => version.fields.filter((field) => field.name === name));
    const latest = present.at(-1);
    if (latest === undefined) throw new RangeError(`no version has ${name}`);
    const path = parent === "" ? name : `${parent}.${name}`;
    const type = mergeTypes(
      present.map((field) => field.type),
      path,
      conflicts,
    );
    const { default: given, ...field } = latest;
    if (present.length === versions.length) return { ...field, type };
    // The newest version is the reader of older rows, so its default is theirs (specification 1.12, "Schema Resolution").
    const filled = newest.fields.includes(latest) && given !== undefined && given !== null;
    return filled
      ? filledWith(completed(given, latest.type), field, type)
      : { ...field, type: optional(type), default: null };
  });
  return { ...newest, fields };
}

// The default of a union is of its first branch.
function filledWith(value: unknown, field: AvroField, type: AvroType): AvroField {
  const { type: plain, nullable } = unwrapOptional(type);
  return { ...field, type: nullable ? [plain, "null"] : type, default: value };
}

/** A default with the members that it leaves to the defaults of its own type. */
function completed(value: unknown, type: AvroType): unknown {
  const { type: plain } = unwrapOptional(type);
  if (typeof plain === "string" || typeof value !== "object" || value === null) return value;
  if (plain.type === "array") return Array.isArray(value) ? value.map((item) => completed(item, plain.items)) : value;
  if (plain.type !== "record") return value;
  const members = new Map<string, unknown>(Object.entries(value));
  return Object.fromEntries(
    plain.fields.map(({ name, type: member, default: own }) => [
      name,
      completed(members.has(name) ? members.get(name) : own, member),
    ]),
  );
}

function mergeTypes(types: readonly AvroType[], path: string, conflicts: TableConflict[]): AvroType {
  const plain = types.map((type) => unwrapOptional(type).type);
  const merged = mergePlain(plain, path, conflicts);
  return types.some((type) => unwrapOptional(type).nullable) ? optional(merged) : merged;
}

type Plain = ReturnType<typeof unwrapOptional>["type"];

function mergePlain(types: readonly Plain[], path: string, conflicts: TableConflict[]): Plain {
  const newest = types.at(-1);
  if (newest === undefined) throw new RangeError(`no version has ${path}`);
  const records = types.filter((type) => typeof type === "object" && type.type === "record");
  if (records.length === types.length) return mergeRecords(records, path, conflicts);
  const arrays = types.filter((type) => typeof type === "object" && type.type === "array");
  if (arrays.length === types.length) {
    const items = mergeTypes(
      arrays.map((array) => array.items),
      path,
      conflicts,
    );
    return { type: "array", items };
  }
  const widest = types.reduce<Plain | undefined>(
    (wide, type) => (wide === undefined ? undefined : wider(wide, type)),
    newest,
  );
  if (widest !== undefined) return widest;
  conflicts.push({
    field: path,
    message: `field "${path}" has types in its versions that no one column holds: give the new type a field of its own`,
  });
  return newest;
}

const NUMBERS: readonly Plain[] = ["int", "long", "double"];

function wider(a: Plain, b: Plain): Plain | undefined {
  const [i, j] = [NUMBERS.indexOf(a), NUMBERS.indexOf(b)];
  if (i >= 0 && j >= 0) return i > j ? a : b;
  return sameScalar(a, b) ? a : undefined;
}

function sameScalar(a: Plain, b: Plain): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  if (a.type === "bytes" && b.type === "bytes") return a.precision === b.precision && a.scale === b.scale;
  return a.type === b.type && a.type !== "record" && a.type !== "array";
}

function optional(type: AvroType): AvroType {
  const plain = unwrapOptional(type).type;
  return ["null", plain];
}
