import {
  type Field as ArrowField,
  Binary,
  Bool,
  type Data,
  DataType,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from "apache-arrow";
import type { Batch, Column, Field, Nulls } from "../columns/column.ts";
import { layoutOf, typeName } from "../columns/column-kind.ts";
import { sliceColumn } from "../columns/slice.ts";
import { arrowField } from "./arrow-types.ts";
import { IpcSink } from "./ipc-sink.ts";

/** The Arrow schema of a batch's fields. */
export function arrowSchema(fields: readonly Field[]): Schema {
  return new Schema(fields.map(arrowField));
}

/**
 * Batches as the bytes of one Arrow IPC stream, one record batch for each, written as they are added: none is held. Arrays are used as
 * they are where the layouts agree; bits are packed and narrow decimals widened here. Bytes of a given sink stand until its next stream.
 */
export class ArrowStream {
  readonly #fields: readonly Field[];
  readonly #schema: Schema;
  readonly #type: Struct;
  readonly #sink: IpcSink;
  readonly #writer = new RecordBatchStreamWriter();

  constructor(fields: readonly Field[], sink: IpcSink = new IpcSink()) {
    this.#fields = fields;
    this.#schema = arrowSchema(fields);
    this.#type = new Struct(this.#schema.fields);
    this.#sink = sink;
    this.#writer.reset(sink, this.#schema);
  }

  /**
   * Throws a TypeError when a column is not of its field's type, a RangeError when a column that is not nullable holds a null or a
   * decimal is too wide for its precision, naming the column.
   */
  add({ columns, length }: Batch): void {
    const children = childData(this.#schema.fields, this.#fields, columns, length, undefined, "");
    this.#writer.write(new RecordBatch(this.#schema, makeData({ type: this.#type, length, nullCount: 0, children })));
  }

  finish(): Uint8Array {
    this.#writer.finish();
    return this.#sink.take();
  }
}

/** The same at once. Throws as `add` does. */
export function encodeArrowStream(fields: readonly Field[], batches: readonly Batch[]): Uint8Array {
  const stream = new ArrowStream(fields);
  for (const batch of batches) stream.add(batch);
  return stream.finish();
}

/** A null is allowed in a field that is not nullable only under a null parent, where no reader can see it. */
function childData(
  arrowFields: readonly ArrowField[],
  fields: readonly Field[],
  columns: readonly Column[],
  length: number,
  parentNulls: Nulls,
  path: string,
): Data[] {
  if (columns.length !== fields.length) throw new TypeError(`${columns.length} columns for ${fields.length} fields`);
  // The three arrays run in parallel, as just checked; `arrowFields` was made from `fields`.
  return fields.map((field, i) => {
    const column = columns[i]!;
    const name = path === "" ? field.name : `${path}.${field.name}`;
    if (column.kind !== layoutOf(field.type)) {
      throw new TypeError(`column ${name}: ${typeName(field.type)} cannot be held as ${column.kind}`);
    }
    if (column.length !== length) {
      throw new TypeError(`column ${name} has ${column.length} rows, not ${length}`);
    }
    return columnData(arrowFields[i]!, field, column, parentNulls, name);
  });
}

function columnData(arrow: ArrowField, field: Field, column: Column, parentNulls: Nulls, path: string): Data {
  const { type } = arrow;
  const { length } = column;
  if (!field.nullable) requireNoNull(column, parentNulls, path);
  const common = { length, ...validity(field.nullable ? column.nulls : undefined) };
  switch (column.kind) {
    case "bool":
      return makeData({ type: new Bool(), ...common, data: packBits(column.values) });
    case "int32":
      if (DataType.isDate(type)) return makeData({ type, ...common, data: column.values });
      if (DataType.isInt(type)) return makeData({ type, ...common, data: column.values });
      break;
    case "int64":
      if (DataType.isDecimal(type)) {
        const data = widenDecimals(column.values, column.nulls, type.precision, path);
        return makeData({ type, ...common, data });
      }
      if (DataType.isTimestamp(type)) return makeData({ type, ...common, data: column.values });
      if (DataType.isInt(type)) return makeData({ type, ...common, data: column.values });
      break;
    case "int128":
      if (DataType.isDecimal(type)) {
        const { buffer, byteOffset } = column.values;
        return makeData({ type, ...common, data: new Uint32Array(buffer, byteOffset, length * 4) });
      }
      break;
    case "float64":
      if (DataType.isFloat(type)) return makeData({ type, ...common, data: column.values });
      break;
    case "bytes": {
      const valueOffsets = column.offsets.subarray(0, length + 1);
      if (DataType.isUtf8(type)) return makeData({ type, ...common, valueOffsets, data: column.bytes });
      if (DataType.isBinary(type)) return makeData({ type: new Binary(), ...common, valueOffsets, data: column.bytes });
      break;
    }
    case "list":
      if (DataType.isList(type) && field.type.kind === "list") {
        // A column has length + 1 offsets; a list type has one child.
        const first = column.offsets[0]!;
        const item = sliceColumn(column.item, first, column.offsets[length]!);
        const offsets = column.offsets.subarray(0, length + 1);
        const valueOffsets = first === 0 ? offsets : offsets.map((offset) => offset - first);
        const itemField = field.type.item;
        if (item.kind !== layoutOf(itemField.type)) {
          throw new TypeError(`column ${path}: ${typeName(itemField.type)} cannot be held as ${item.kind}`);
        }
        const child = columnData(type.valueField, itemField, item, undefined, `${path}.${itemField.name}`);
        return makeData({ type, ...common, valueOffsets, child });
      }
      break;
    case "struct":
      if (DataType.isStruct(type) && field.type.kind === "struct") {
        const masked = maskNulls(column.nulls, parentNulls);
        const children = childData(type.children, field.type.fields, column.fields, length, masked, path);
        return makeData({ type, ...common, children });
      }
      break;
  }
  throw new TypeError(`column ${path}: Arrow type ${type} cannot be made of a column of kind ${column.kind}`);
}

function requireNoNull(column: Column, parentNulls: Nulls, path: string): void {
  if (column.nulls === undefined) return;
  for (let i = 0; i < column.length; i++) {
    if (column.nulls[i] === 1 && parentNulls?.[i] !== 1) {
      throw new RangeError(`column ${path} is not nullable, but row ${i} of the batch is null`);
    }
  }
}

function maskNulls(nulls: Nulls, parentNulls: Nulls): Nulls {
  if (nulls === undefined || parentNulls === undefined) return nulls ?? parentNulls;
  // Both are as long as the struct.
  return nulls.map((mark, i) => mark | parentNulls[i]!);
}

/** Arrow's validity of null marks: a bit per row, set where it is not null; no bitmap where all are. */
function validity(nulls: Nulls): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
  if (nulls === undefined) return { nullCount: 0 };
  const bitmap = packBits(nulls);
  let nullCount = 0;
  for (let i = 0; i < bitmap.length; i++) {
    nullCount += bitCount(bitmap[i]!);
    bitmap[i] = ~bitmap[i]!;
  }
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: bitmap };
}

/** Of a byte. */
function bitCount(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55);
  const nibbles = (pairs & 0x33) + ((pairs >> 2) & 0x33);
  return (nibbles + (nibbles >> 4)) & 0x0f;
}

/** One bit for each byte, which is 0 or 1, least significant first (Arrow's order). */
function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array((bytes.length + 7) >> 3);
  const whole = bytes.length >> 3;
  // Eight at once: `8 * i + 7` is within `bytes` for each whole byte of bits, and what is left after them is fewer than eight.
  for (let i = 0, at = 0; i < whole; i++, at += 8) {
    bits[i] =
      bytes[at]! |
      (bytes[at + 1]! << 1) |
      (bytes[at + 2]! << 2) |
      (bytes[at + 3]! << 3) |
      (bytes[at + 4]! << 4) |
      (bytes[at + 5]! << 5) |
      (bytes[at + 6]! << 6) |
      (bytes[at + 7]! << 7);
  }
  for (let at = whole * 8; at < bytes.length; at++) bits[whole]! |= bytes[at]! << (at & 7);
  return bits;
}

const TWO_POW_32 = 4_294_967_296;

/** Above this precision a double cannot tell a value from its neighbour, and Parquet stores all 64 bits anyway. */
const MAX_CHECKED_PRECISION = 15;

/**
 * 64-bit unscaled values as Decimal128 words. Checks the precision too: Parquet stores precision up to 9 in 32 bits, where
 * parquet-wasm would wrap a wider value without a word.
 */
function widenDecimals(values: BigInt64Array, nulls: Nulls, precision: number, path: string): Uint32Array {
  const source = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const words = new Uint32Array(values.length * 4);
  const limit = precision <= MAX_CHECKED_PRECISION ? 10 ** precision : Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    if (nulls?.[i] === 1) continue;
    // Two words of each value.
    const low = source[2 * i]! >>> 0;
    const high = source[2 * i + 1]!;
    if (Math.abs(high * TWO_POW_32 + low) >= limit) {
      throw new RangeError(`column ${path}: row ${i} of the batch has more than ${precision} digits`);
    }
    const sign = high >> 31;
    words[4 * i] = low;
    words[4 * i + 1] = high;
    words[4 * i + 2] = sign;
    words[4 * i + 3] = sign;
  }
  return words;
}
