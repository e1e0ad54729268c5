import {
  Field as ArrowField,
  type DataType as ArrowType,
  Binary,
  Bool,
  DataType,
  DateDay,
  DateUnit,
  Decimal,
  Float64,
  Int32,
  Int64,
  List,
  Precision,
  Struct,
  TimestampMicrosecond,
  TimeUnit,
  Utf8,
} from "apache-arrow";
import type { ColumnType, Field } from "../columns/column.ts";

/** An Arrow type that our columns cannot hold without loss, or do not know. `path` is the field's name, dotted when nested. */
export class UnsupportedArrowTypeError extends Error {
  override readonly name = "UnsupportedArrowTypeError";
  readonly path: string;

  constructor(path: string, type: string, why = "it has no exact column type") {
    super(`column ${path}: Arrow type ${type} is not supported: ${why}`);
    this.path = path;
  }
}

/** Widest decimal of Arrow's Decimal128. */
const MAX_DECIMAL128_PRECISION = 38;

/** Bits of every decimal we write: Arrow JS defaults to 128, said here because the layout in `arrow-write.ts` relies on it. */
const DECIMAL_BITS = 128;

/** A field as Arrow has it. Timestamps are microseconds in the zone "UTC", which Parquet keeps as `isAdjustedToUTC`. */
export function arrowField(field: Field): ArrowField {
  return new ArrowField(field.name, arrowType(field.type), field.nullable);
}

function arrowType(type: ColumnType): ArrowType {
  switch (type.kind) {
    case "bool":
      return new Bool();
    case "int32":
      return new Int32();
    case "int64":
      return new Int64();
    case "float64":
      return new Float64();
    case "decimal":
      return new Decimal(type.scale, type.precision, DECIMAL_BITS);
    case "date":
      return new DateDay();
    case "timestamp":
      return new TimestampMicrosecond("UTC");
    case "utf8":
      return new Utf8();
    case "binary":
      return new Binary();
    case "list":
      return new List(arrowField(type.item));
    case "struct":
      return new Struct(type.fields.map(arrowField));
  }
}

/**
 * The field that holds an Arrow field's values exactly: narrower integers widen (int8, int16, uint8, uint16 to int32; uint32 to
 * int64), float16 and float32 to float64; seconds, milliseconds and microseconds to `timestamp`, without a zone too (Sluice has
 * no local times); large and dictionary forms to their plain ones. Throws UnsupportedArrowTypeError for anything else.
 */
export function fieldOfArrow(field: ArrowField, parent = ""): Field {
  const path = parent === "" ? field.name : `${parent}.${field.name}`;
  return { name: field.name, type: columnType(field.type, path), nullable: field.nullable };
}

function columnType(type: ArrowType, path: string): ColumnType {
  if (DataType.isDictionary(type)) return columnType(type.dictionary, path);
  if (DataType.isBool(type)) return { kind: "bool" };
  if (DataType.isInt(type)) {
    if (type.bitWidth === 64 && !type.isSigned) {
      throw new UnsupportedArrowTypeError(path, String(type), "values past 2^63 would not fit");
    }
    return { kind: type.bitWidth === 64 || (type.bitWidth === 32 && !type.isSigned) ? "int64" : "int32" };
  }
  if (DataType.isFloat(type)) {
    if (type.precision === Precision.HALF) throw new UnsupportedArrowTypeError(path, String(type));
    return { kind: "float64" };
  }
  if (DataType.isDecimal(type)) {
    if (type.bitWidth !== DECIMAL_BITS || type.precision > MAX_DECIMAL128_PRECISION || type.scale < 0) {
      throw new UnsupportedArrowTypeError(path, String(type), "decimals are of 128 bits and a scale of 0 or more");
    }
    return { kind: "decimal", precision: type.precision, scale: type.scale };
  }
  if (DataType.isDate(type) && type.unit === DateUnit.DAY) return { kind: "date" };
  if (DataType.isTimestamp(type)) {
    if (type.unit === TimeUnit.NANOSECOND) {
      throw new UnsupportedArrowTypeError(path, String(type), "nanoseconds would be rounded");
    }
    if (type.timezone && !/^(UTC|Etc\/UTC|Z|[+-]00:?00)$/.test(type.timezone)) {
      throw new UnsupportedArrowTypeError(path, String(type), "only UTC is read");
    }
    return { kind: "timestamp" };
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { kind: "utf8" };
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return { kind: "binary" };
  if (DataType.isList(type)) return { kind: "list", item: fieldOfArrow(type.valueField, path) };
  if (DataType.isStruct(type)) {
    return { kind: "struct", fields: type.children.map((child) => fieldOfArrow(child, path)) };
  }
  throw new UnsupportedArrowTypeError(path, String(type));
}
