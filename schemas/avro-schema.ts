/**
 * The subset of Avro (specification 1.12) that Sluice's schemas use, as data. Everything that walks a schema — codecs,
 * columns, JSON rendering, generators — switches over these shapes; the schema compiler refuses any other.
 */

export type AvroPrimitive = "null" | "boolean" | "int" | "long" | "double" | "string" | "bytes";

export interface AvroTimestamp {
  readonly type: "long";
  readonly logicalType: "timestamp-micros";
}
export interface AvroDate {
  readonly type: "int";
  readonly logicalType: "date";
}
export interface AvroDecimal {
  readonly type: "bytes";
  readonly logicalType: "decimal";
  readonly precision: number;
  readonly scale: number;
}
export interface AvroArray {
  readonly type: "array";
  readonly items: AvroType;
}
export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  readonly default?: unknown;
  readonly doc?: string;
}
export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly AvroField[];
}
/** Only `["null", T]` and `[T, "null"]`: an optional value. */
export type AvroOptional = readonly [AvroType, AvroType];

export type AvroType = AvroPrimitive | AvroTimestamp | AvroDate | AvroDecimal | AvroArray | AvroRecord | AvroOptional;

/** A released schema: immutable, known by its id everywhere. */
export interface SchemaRelease {
  readonly id: number;
  readonly topic: string;
  readonly version: number;
  readonly schema: AvroRecord;
  /** Not taken from producers any more; what was accepted before stays decodable. */
  readonly retired?: boolean;
}

function isOptional(type: AvroType): type is AvroOptional {
  return Array.isArray(type);
}

/** Splits `["null", T]` into T and the fact that it may be null; any other type is returned as it is. */
export function unwrapOptional(type: AvroType): {
  readonly type: Exclude<AvroType, AvroOptional>;
  readonly nullable: boolean;
} {
  if (!isOptional(type)) return { type, nullable: false };
  const inner = type[0] === "null" ? type[1] : type[0];
  if (isOptional(inner)) throw new Error("a union inside a union is not Avro");
  return { type: inner, nullable: true };
}
