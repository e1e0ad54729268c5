import { type Data, DataType, type RecordBatch, RecordBatchReader, TimeUnit } from "apache-arrow";
import type { Batch, Column, ColumnType, Field, Nulls } from "../columns/column.ts";
import { MAX_INT64_PRECISION } from "../columns/column-kind.ts";
import { concatColumns } from "../columns/concat.ts";
import { gather } from "../columns/gather.ts";
import { MAX_OFFSET } from "../columns/growth.ts";
import { fieldOfArrow, UnsupportedArrowTypeError } from "./arrow-types.ts";

/** The fields of an Arrow IPC stream, which may hold no batch. Throws UnsupportedArrowTypeError. */
export function decodeArrowSchema(stream: Uint8Array): Field[] {
  return RecordBatchReader.from(stream)
    .open()
    .schema.fields.map((field) => fieldOfArrow(field));
}

/**
 * The batches of an Arrow IPC stream that have rows, decoded as they are asked for. (Of a stream without any, Arrow JS makes up an
 * empty batch whose columns have no buffers.) Columns are views on `stream` where the layouts agree, so
 * it must not change, and lives as long as they do. Throws UnsupportedArrowTypeError at the first batch.
 */
export function* decodeArrowStream(stream: Uint8Array): Generator<Batch> {
  for (const batch of RecordBatchReader.from(stream)) if (batch.numRows > 0) yield batchOfArrow(batch);
}

/** A record batch as columns; a slice (with an offset) gives the slice's rows. Throws UnsupportedArrowTypeError. */
export function batchOfArrow(batch: RecordBatch): Batch {
  const fields = batch.schema.fields.map((field) => fieldOfArrow(field));
  return {
    fields,
    // A record batch has one child per field of its schema.
    columns: fields.map((field, i) => columnOfArrow(batch.data.children[i]!, field.type, field.name)),
    length: batch.numRows,
  };
}

// Arrow JS slices by taking subarrays of values and offsets, and by leaving bitmaps whole with a bit offset (`data.offset`);
// children of a list stay whole, those of a struct are sliced. So below `offset` counts for bits only.
// Every buffer is as long as the Arrow format demands, and indices stay below `length`: hence the `!` on array reads.

function columnOfArrow(data: Data, type: ColumnType, path: string): Column {
  if (DataType.isDictionary(data.type)) return dictionaryColumn(data, type, path);
  const { length } = data;
  const nulls = unpackNulls(data);
  // Arrow JS types the buffers of an unknown column as `any`: what they are is asked of the arrays themselves.
  const values: unknown = data.values;
  switch (type.kind) {
    case "bool":
      if (!(values instanceof Uint8Array)) break;
      return { kind: "bool", type, length, nulls, values: unpackBits(values, data.offset, length) };
    case "int32":
    case "date": {
      const int32 = int32Values(values, length);
      if (int32 === undefined) break;
      return { kind: "int32", type, length, nulls, values: int32 };
    }
    case "int64":
      if (values instanceof BigInt64Array) {
        return { kind: "int64", type, length, nulls, values: values.subarray(0, length) };
      }
      if (!(values instanceof Uint32Array)) break;
      return { kind: "int64", type, length, nulls, values: BigInt64Array.from(values.subarray(0, length), BigInt) };
    case "timestamp":
      if (!(values instanceof BigInt64Array) || !DataType.isTimestamp(data.type)) break;
      return { kind: "int64", type, length, nulls, values: microseconds(values.subarray(0, length), data.type.unit) };
    case "float64":
      if (values instanceof Float64Array) {
        return { kind: "float64", type, length, nulls, values: values.subarray(0, length) };
      }
      if (!(values instanceof Float32Array)) break;
      return { kind: "float64", type, length, nulls, values: Float64Array.from(values.subarray(0, length)) };
    case "decimal": {
      if (!(values instanceof Uint32Array)) break;
      const words = int64Words(values.subarray(0, length * 4));
      if (type.precision > MAX_INT64_PRECISION) return { kind: "int128", type, length, nulls, values: words };
      const low = new BigInt64Array(length);
      for (let i = 0; i < length; i++) low[i] = words[2 * i]!;
      return { kind: "int64", type, length, nulls, values: low };
    }
    case "utf8":
    case "binary": {
      if (!(values instanceof Uint8Array)) break;
      const offsets = int32Offsets(data, path);
      return { kind: "bytes", type, length, nulls, offsets, bytes: values };
    }
    case "list": {
      const child = data.children[0];
      if (child === undefined) break;
      const item = columnOfArrow(child, type.item.type, `${path}.${type.item.name}`);
      return { kind: "list", type, length, nulls, offsets: int32Offsets(data, path), item };
    }
    case "struct": {
      if (data.children.length !== type.fields.length) break;
      // One child per field, as just checked.
      const fields = type.fields.map((field, i) =>
        columnOfArrow(data.children[i]!, field.type, `${path}.${field.name}`),
      );
      return { kind: "struct", type, length, nulls, fields };
    }
  }
  throw new UnsupportedArrowTypeError(path, String(data.type), "its buffers are not of the form the type has");
}

/** A dictionary column in plain form: each code's value copied. A null code is a null row, and so is a code of a null entry. */
function dictionaryColumn(data: Data, type: ColumnType, path: string): Column {
  const codes = int32Values(data.values, data.length);
  const entries = data.dictionary?.data ?? [];
  if (codes === undefined || entries.length === 0) {
    throw new UnsupportedArrowTypeError(path, String(data.type), "its dictionary or codes are missing");
  }
  const nulls = unpackNulls(data);
  const dictionary = concatColumns(entries.map((entry) => columnOfArrow(entry, type, path)));
  if (nulls === undefined) return gather(dictionary, codes);
  if (dictionary.length === 0) throw new UnsupportedArrowTypeError(path, String(data.type), "its dictionary is empty");
  // The code under a null may be anything.
  const safe = codes.map((code, i) => (nulls[i] === 1 ? 0 : code));
  const column = gather(dictionary, safe);
  const entryNulls = column.nulls;
  // Both are as long as the column.
  return { ...column, nulls: entryNulls === undefined ? nulls : nulls.map((mark, i) => mark | entryNulls[i]!) };
}

function int32Values(values: unknown, length: number): Int32Array | undefined {
  if (values instanceof Int32Array) return values.subarray(0, length);
  if (
    values instanceof Int8Array ||
    values instanceof Uint8Array ||
    values instanceof Int16Array ||
    values instanceof Uint16Array
  ) {
    return Int32Array.from(values.subarray(0, length));
  }
  return undefined;
}

/** Throws a RangeError when a large (64-bit) form holds more than 32-bit offsets can reach. */
function int32Offsets(data: Data, path: string): Int32Array {
  const offsets: unknown = data.valueOffsets;
  const count = data.length + 1;
  if (offsets instanceof Int32Array) return offsets.length === 0 ? new Int32Array(1) : offsets.subarray(0, count);
  if (!(offsets instanceof BigInt64Array)) {
    throw new UnsupportedArrowTypeError(path, String(data.type), "it has no offsets");
  }
  if (offsets.length === 0) return new Int32Array(1);
  if (offsets[data.length]! > BigInt(MAX_OFFSET)) throw new RangeError(`column ${path} of a batch passes 2 GiB`);
  return Int32Array.from(offsets.subarray(0, count), Number);
}

/** The 64-bit words of 128-bit values; copied when they do not begin at a multiple of eight bytes, as views must. */
function int64Words(words: Uint32Array): BigInt64Array {
  const aligned = words.byteOffset % 8 === 0 ? words : words.slice();
  return new BigInt64Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function microseconds(values: BigInt64Array, unit: TimeUnit): BigInt64Array {
  if (unit === TimeUnit.MICROSECOND) return values;
  const factor = unit === TimeUnit.MILLISECOND ? 1000n : 1_000_000n;
  return values.map((value) => value * factor);
}

function unpackNulls(data: Data): Nulls {
  if (data.nullCount === 0) return undefined;
  const valid = unpackBits(data.nullBitmap, data.offset, data.length);
  for (let i = 0; i < valid.length; i++) valid[i] = 1 - valid[i]!;
  return valid;
}

/** `length` bits from bit `offset` on, least significant first, as a byte each. */
function unpackBits(bits: Uint8Array, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const bit = offset + i;
    bytes[i] = (bits[bit >> 3]! >> (bit & 7)) & 1;
  }
  return bytes;
}
