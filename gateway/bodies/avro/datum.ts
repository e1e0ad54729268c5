/**
 * Avro binary to the JSON form of an event, for bytes that come from outside. avsc's own decoder trusts its input: it loops
 * for as many items as a count claims, cuts longs and mends texts. This one stops at the end of the bytes and alters nothing;
 * a property test holds both together for what avsc encodes. An optional field that is null is absent in the JSON form.
 */

import { type AvroRecord, type AvroType, unwrapOptional } from "../../../schemas/avro-schema.ts";
import { ByteReader } from "../../../schemas/byte-reader.ts";
import { jsonFromUnscaled, unscaledFromBytes } from "../../../schemas/decimal.ts";
import { jsonFromInteger } from "../../../schemas/exact-json.ts";
import { MAX_VALUES } from "../../../schemas/json-bounds.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import { type Fault, malformed, textOf } from "../event-batch.ts";

export interface Datum {
  readonly event: unknown;
  /** Where the next datum begins. */
  readonly end: number;
  /** Why the datum is no event although its end is known, or null. */
  readonly fault: Fault | null;
  /** Whether JSON can say all of it: it has no NaN and no infinity. */
  readonly isJson: boolean;
}

/** Decodes the datum that begins at `at`. Throws `RangeError` if its end cannot be known. */
export type DatumDecoder = (bytes: Uint8Array, at: number) => Datum;

/** What decoding one datum finds on the way. */
interface Findings {
  fault: Fault | null;
  isJson: boolean;
  /** How many values the datum has until now. */
  values: number;
}

type Read = (reader: ByteReader, findings: Findings) => unknown;

/** Closures over the schema; no code is generated. */
export function createDatumDecoder(schema: AvroRecord): DatumDecoder {
  const read = readerOf(schema);
  return (bytes, at) => {
    const reader = new ByteReader(bytes);
    reader.at = at;
    const findings: Findings = { fault: null, isJson: true, values: 0 };
    const event = read(reader, findings);
    const { fault, isJson } = findings;
    return { event, end: reader.at, fault, isJson };
  };
}

function readerOf(schema: AvroType): Read {
  const { type, nullable } = unwrapOptional(schema);
  if (!nullable) return readerOfValue(type);
  const read = readerOfValue(type);
  const nullBranch = Array.isArray(schema) && schema[0] === "null" ? 0 : 1;
  return (reader, findings) => {
    const branch = reader.readLong();
    if (branch !== 0 && branch !== 1)
      throw new RangeError(`branch ${branch} of a union of two, before byte ${reader.at}`);
    return branch === nullBranch ? undefined : read(reader, findings);
  };
}

function readerOfValue(type: Exclude<AvroType, readonly [AvroType, AvroType]>): Read {
  switch (type) {
    case "null":
      return () => undefined;
    case "boolean":
      return readBoolean;
    case "int":
    case "long":
      return readLong;
    case "double":
      return readDouble;
    case "string":
      return readText;
    case "bytes":
      throw new Error("a field of plain bytes has no JSON form");
  }
  switch (type.type) {
    case "long":
      return readTime;
    case "int":
      return readDate;
    case "bytes":
      return (reader) => readDecimal(reader, type.scale);
    case "array":
      return arrayReader(readerOf(type.items));
    case "record":
      return recordReader(type);
  }
}

/** What a date of four digits can say: the years 0 to 9999 (RFC 3339, section 5.6), in days since the epoch. */
const FIRST_DAY = -719_528;
const LAST_DAY = 2_932_896;

function recordReader(schema: AvroRecord): Read {
  const fields = schema.fields.map(({ name, type }) => ({ name, read: readerOf(type) }));
  return (reader, findings) => {
    const record: Record<string, unknown> = {};
    findings.values += fields.length;
    for (const { name, read } of fields) {
      const value = read(reader, findings);
      if (value !== undefined) record[name] = value;
    }
    return record;
  };
}

/** A byte of Avro may be a value of JavaScript, which takes many. */
const TOO_MANY_VALUES: Fault = {
  error_type: "EVENT_TOO_LARGE",
  detail: `the event has more than ${MAX_VALUES} values; send large parts by reference`,
};

function arrayReader(readItem: Read): Read {
  return (reader, findings) => {
    const items: unknown[] = [];
    for (;;) {
      let count = reader.readLong();
      if (count === 0) return items;
      // A negative count is followed by the size of the block in bytes, which only skipping needs.
      if (count < 0) {
        count = -count;
        reader.readLong();
      }
      // An item takes a byte at least, so no count can claim more items than there are bytes.
      if (count > reader.bytes.byteLength - reader.at) {
        throw new RangeError(`an array claims ${count} items, before byte ${reader.at}`);
      }
      for (; count > 0; count--) {
        const item = readItem(reader, findings);
        // Past the bound items are read, so that the datum's end is known, and not kept.
        if (++findings.values <= MAX_VALUES) items.push(item);
        else findings.fault ??= TOO_MANY_VALUES;
      }
    }
  };
}

function readBoolean(reader: ByteReader, findings: Findings): boolean {
  const byte = reader.bytes[reader.at];
  const value = reader.readBoolean();
  if (byte !== undefined && byte > 1) findings.fault ??= malformed(`a boolean of ${byte}`);
  return value;
}

/** Exact whatever the long: as a number, or as a number kept as text. */
function readLong(reader: ByteReader): unknown {
  const start = reader.at;
  const value = reader.readLong();
  return Number.isSafeInteger(value) ? value : jsonFromInteger(reader.exactLong(start));
}

// A time or date that no text can say stays a number: admission refuses it, and shows it as it is.
function readTime(reader: ByteReader): unknown {
  const micros = readLong(reader);
  return typeof micros === "number" ? formatTimestamp(micros) : micros;
}

function readDate(reader: ByteReader): unknown {
  const days = readLong(reader);
  return typeof days === "number" && days >= FIRST_DAY && days <= LAST_DAY ? formatDate(days) : days;
}

function readDouble(reader: ByteReader, findings: Findings): number {
  const value = reader.readDouble();
  if (!Number.isFinite(value)) findings.isJson = false;
  return value;
}

function readText(reader: ByteReader, findings: Findings): string {
  const start = reader.readSpan();
  const text = textOf(reader.bytes.subarray(start, reader.at));
  if (text === undefined) findings.fault ??= malformed(`a string that is not UTF-8, at byte ${start}`);
  return text ?? "";
}

/** The largest precision, 38 digits, takes 16 bytes; some writers pad them. Without a bound a decimal of megabytes takes hours. */
const MAX_DECIMAL_BYTES = 64;

function readDecimal(reader: ByteReader, scale: number): number | string {
  const start = reader.readSpan();
  const bytes = reader.bytes.subarray(start, reader.at);
  if (bytes.byteLength > MAX_DECIMAL_BYTES) throw new RangeError(`a decimal of ${bytes.byteLength} bytes, at ${start}`);
  return jsonFromUnscaled(unscaledFromBytes(bytes), scale);
}
