/**
 * How the JSON form of an event meets its Avro form: times are RFC 3339 texts, dates are texts, decimals are numbers or
 * texts. avsc calls `_toValue` when it checks or encodes and `_fromValue` when it decodes; undefined means "not of this type".
 */
import avro from "avsc";
import { bytesFromUnscaled, fitsPrecision, jsonFromUnscaled, unscaledFromBytes, unscaledFromJson } from "./decimal.ts";
import { jsonFromInteger } from "./exact-json.ts";
import { formatDate, formatTimestamp, parseDate, parseTimestamp } from "./time.ts";

class TimestampMicros extends avro.types.LogicalType {
  protected override _fromValue(micros: number): string {
    return formatTimestamp(micros);
  }
  protected override _toValue(value: unknown): number | undefined {
    return typeof value === "string" ? parseTimestamp(value) : undefined;
  }
}

class CalendarDate extends avro.types.LogicalType {
  protected override _fromValue(days: number): string {
    return formatDate(days);
  }
  protected override _toValue(value: unknown): number | undefined {
    return typeof value === "string" ? parseDate(value) : undefined;
  }
}

class Decimal extends avro.types.LogicalType {
  readonly #precision: number;
  readonly #scale: number;

  constructor(schema: avro.Schema, options?: avro.TypeOptions) {
    super(schema, options);
    const { precision, scale } = decimalAttributes(schema);
    this.#precision = precision;
    this.#scale = scale;
  }
  protected override _fromValue(bytes: Uint8Array): number | string {
    return jsonFromUnscaled(unscaledFromBytes(bytes), this.#scale);
  }
  protected override _toValue(value: unknown): Buffer | undefined {
    const unscaled = unscaledFromJson(value, this.#scale);
    if (unscaled === undefined || !fitsPrecision(unscaled, this.#precision)) return undefined;
    return bytesFromUnscaled(unscaled);
  }
}

function decimalAttributes(schema: avro.Schema): { precision: number; scale: number } {
  if (typeof schema === "object" && "precision" in schema && "scale" in schema) {
    const { precision, scale } = schema;
    if (typeof precision === "number" && typeof scale === "number") return { precision, scale };
  }
  throw new Error("a decimal needs a numeric precision and scale");
}

/**
 * Longs of all 64 bits: avsc's own type refuses those that no double holds. It hands over eight bytes, two's complement,
 * least first (avsc, "Custom long types").
 */
const exactLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Uint8Array) => jsonFromInteger(Buffer.from(buffer).readBigInt64LE()),
  toBuffer(value: unknown) {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(unscaledFromJson(value, 0) ?? 0n);
    return buffer;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid(value: unknown) {
    const integer = typeof value === "string" ? undefined : unscaledFromJson(value, 0);
    return integer !== undefined && BigInt.asIntN(64, integer) === integer;
  },
  compare(a: unknown, b: unknown) {
    const [left, right] = [unscaledFromJson(a, 0) ?? 0n, unscaledFromJson(b, 0) ?? 0n];
    return left < right ? -1 : Number(left > right);
  },
});

/** avsc's options for every schema of Sluice: JSON-shaped values, unions without wrapping. A new object each time: avsc keeps its registry of names in it. */
export function avroOptions() {
  return {
    registry: { long: exactLong },
    wrapUnions: "never" as const,
    logicalTypes: { "timestamp-micros": TimestampMicros, date: CalendarDate, decimal: Decimal },
  };
}
