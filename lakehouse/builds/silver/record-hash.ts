/**
 * `record_hash`: the SHA-256 of what an event says, so that two rows can be compared by one column and damage is seen. It is taken of a
 * text of the event's own columns, in the table's order, which DuckDB can make too: `recordHashSql` is the definition, and the
 * fast way here is held to it by a test.
 *
 *     event_id=3:e-1;amount=12.50;tags=[1:a;~1:b;]place={city=4:Oslo;}
 *
 * A value ends with `;`, a text begins with its length in bytes, so that no two events have the same text. A field that is NULL is not
 * in it, so that a new optional column changes no hash; an item that is NULL is `~`. A date is in days, a time in microseconds since
 * 1970; a double has seventeen digits, since engines print shorter ones differently.
 */

import { quoteName, quoteText } from "../../../schemas/sql-quoting.ts";
import type { Batch, BytesColumn, Column, ColumnType, Field } from "../../engine/columns/column.ts";
import { exactInt64s } from "../../engine/columns/exact-int64.ts";
import { requireColumn } from "../../engine/columns/named-columns.ts";
import { decimalText } from "../../engine/columns/value.ts";
import { sha256 } from "../../engine/keys/sha256.ts";
import { RECORD_HASH_FIELD } from "../../tables/silver-columns.ts";

/** The hashes of rows by the columns named, in that order. Throws a RangeError for a column that the rows lack. */
export function recordHashes(rows: Batch, names: readonly string[]): BytesColumn {
  const text = new TextBytes();
  const writers = names.map((name) => fieldWriter(name, requireColumn(rows, name)));
  const offsets = Int32Array.from({ length: rows.length + 1 }, (_, row) => row * HASH_DIGITS);
  const bytes = new Uint8Array(rows.length * HASH_DIGITS);
  const state = new Int32Array(HASH_DIGITS / 8);
  for (let row = 0; row < rows.length; row++) {
    text.clear();
    for (const write of writers) write(text, row);
    text.hash(state);
    writeHex(state, bytes, row * HASH_DIGITS);
  }
  return { kind: "bytes", type: RECORD_HASH_FIELD.type, length: rows.length, nulls: undefined, offsets, bytes };
}

const HASH_DIGITS = 64;
/** The hexadecimal digits by their value, as characters. */
const HEX = new TextEncoder().encode("0123456789abcdef");

function writeHex(words: Int32Array, out: Uint8Array, start: number): void {
  let at = start;
  for (const word of words) for (let shift = 28; shift >= 0; shift -= 4) out[at++] = HEX[(word >>> shift) & 15]!;
}

/** The same in DuckDB's SQL: an expression over a table with these fields. */
export function recordHashSql(fields: readonly Field[]): string {
  return `sha256(${fieldTexts(fields, quoteName, 0)})`;
}

function fieldTexts(fields: readonly Field[], columnOf: (name: string) => string, depth: number): string {
  if (fields.length === 0) return "''";
  return fields
    .map(({ name, type }) => `coalesce(${quoteText(`${name}=`)} || ${valueText(type, columnOf(name), depth)}, '')`)
    .join(" || ");
}

/** NULL where the value is. `depth` keeps the names of nested lambdas apart. */
function valueText(type: ColumnType, value: string, depth: number): string {
  switch (type.kind) {
    case "bool":
    case "int32":
    case "int64":
    case "decimal":
      return `CAST(${value} AS VARCHAR) || ';'`;
    case "date":
      return `CAST(${value} - DATE '1970-01-01' AS VARCHAR) || ';'`;
    case "timestamp":
      return `CAST(epoch_us(${value}) AS VARCHAR) || ';'`;
    case "float64":
      return `format('{:.16e}', ${value} + 0.0::DOUBLE) || ';'`;
    case "utf8":
      return `CAST(strlen(${value}) AS VARCHAR) || ':' || ${value} || ';'`;
    case "binary":
      return `CAST(octet_length(${value}) AS VARCHAR) || ':' || lower(hex(${value})) || ';'`;
    case "list": {
      const item = `i${depth}`;
      const itemText = `coalesce(${valueText(type.item.type, item, depth + 1)}, '~')`;
      const items = `array_to_string(list_transform(${value}, lambda ${item}: ${itemText}), '')`;
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE '[' || coalesce(${items}, '') || ']' END`;
    }
    case "struct": {
      const texts = fieldTexts(type.fields, (name) => `${value}.${quoteName(name)}`, depth);
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE '{' || ${texts} || '}' END`;
    }
  }
}

/** Below this many bytes a loop beats `TypedArray.set`, which needs a temporary view. */
const LOOP_COPY_LIMIT = 64;

/** Bytes of one row's text, kept from row to row. */
class TextBytes {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  /** Appends a text of ASCII characters. */
  ascii(text: string): void {
    const at = this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const at = this.#reserve(end - start);
    if (end - start < LOOP_COPY_LIMIT) for (let i = start; i < end; i++) this.#bytes[at + i - start] = source[i]!;
    else this.#bytes.set(source.subarray(start, end), at);
  }

  /** Appends a whole number, exact in a double, with its end. */
  whole(value: number, end: number): void {
    let digits = 1;
    for (let rest = Math.abs(value); rest >= 10; rest = Math.floor(rest / 10)) digits++;
    const length = digits + (value < 0 ? 1 : 0);
    let at = this.#reserve(length + 1) + length;
    this.#bytes[at] = end;
    let rest = Math.abs(value);
    for (let i = 0; i < digits; i++) {
      const tens = Math.floor(rest / 10);
      this.#bytes[--at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    if (value < 0) this.#bytes[--at] = MINUS;
  }

  /** Appends a whole number, exact in a double, with a point before its last `scale` digits, as SQL casts a decimal, and an end. */
  decimal(value: number, scale: number, withZero: boolean, end: number): void {
    const unit = 10 ** scale;
    const size = Math.abs(value);
    const above = Math.floor(size / unit);
    if (value < 0) this.ascii("-");
    if (above > 0 || withZero) this.whole(above, POINT);
    else this.ascii(".");
    let at = this.#reserve(scale + 1) + scale;
    this.#bytes[at] = end;
    let rest = size - above * unit;
    for (let i = 0; i < scale; i++) {
      const tens = Math.floor(rest / 10);
      this.#bytes[--at] = ZERO + rest - tens * 10;
      rest = tens;
    }
  }

  /** Writes the hash of the text to `state` (`sha256`). */
  hash(state: Int32Array): void {
    sha256(this.#bytes, this.#length, state);
  }

  /** Makes room for so many bytes, which the caller fills; gives where they begin. */
  #reserve(more: number): number {
    const at = this.#length;
    this.#length += more;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const COLON = 0x3a;
const SEMICOLON = 0x3b;

type Writer = (text: TextBytes, row: number) => void;

function fieldWriter(name: string, column: Column): Writer {
  const write = valueWriter(column);
  const { nulls } = column;
  const head = Buffer.from(`${name}=`);
  return (text, row) => {
    if (nulls?.[row] === 1) return;
    text.copy(head, 0, head.length);
    write(text, row);
  };
}

/** For rows that are not null. Every row has its slots: the `!` are true. */
function valueWriter(column: Column): Writer {
  const scalar = (read: (row: number) => string): Writer => {
    return (text, row) => text.ascii(`${read(row)};`);
  };
  switch (column.kind) {
    case "bool":
      return scalar((row) => (column.values[row] === 1 ? "true" : "false"));
    case "int32":
      return (text, row) => text.whole(column.values[row]!, SEMICOLON);
    case "float64": {
      const known = new Map<number, string>();
      return scalar((row) => rememberedText(column.values[row]!, known));
    }
    case "int64": {
      const { values, type } = column;
      if (type.kind !== "decimal") return wholeWriter(values);
      return decimalWriter(values, type);
    }
    case "int128": {
      const { values, type } = column;
      if (type.kind !== "decimal") throw new TypeError(`${type.kind} in a column of decimals`);
      return scalar((row) => sqlDecimal((values[2 * row + 1]! << 64n) | BigInt.asUintN(64, values[2 * row]!), type));
    }
    case "bytes": {
      const { bytes, offsets, type } = column;
      return (text, row) => {
        const start = offsets[row]!;
        const end = offsets[row + 1]!;
        text.whole(end - start, COLON);
        if (type.kind === "utf8") text.copy(bytes, start, end);
        else text.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("hex"));
        text.ascii(";");
      };
    }
    case "list": {
      const { item, offsets } = column;
      const write = valueWriter(item);
      return (text, row) => {
        text.ascii("[");
        const end = offsets[row + 1]!;
        for (let at = offsets[row]!; at < end; at++) {
          if (item.nulls?.[at] === 1) text.ascii("~");
          else write(text, at);
        }
        text.ascii("]");
      };
    }
    case "struct": {
      const { type } = column;
      if (type.kind !== "struct") throw new TypeError(`${type.kind} in a column of structs`);
      const writers = column.fields.map((field, i) => fieldWriter(type.fields[i]!.name, field));
      return (text, row) => {
        text.ascii("{");
        for (const write of writers) write(text, row);
        text.ascii("}");
      };
    }
  }
}

function wholeWriter(values: BigInt64Array): Writer {
  const read = exactInt64s(values);
  return (text, row) => {
    const value = read(row);
    if (Number.isNaN(value)) text.ascii(`${values[row]!};`);
    else text.whole(value, SEMICOLON);
  };
}

function decimalWriter(values: BigInt64Array, type: ColumnType & { readonly kind: "decimal" }): Writer {
  const read = exactInt64s(values);
  const { precision, scale } = type;
  return (text, row) => {
    const value = read(row);
    if (Number.isNaN(value)) text.ascii(`${sqlDecimal(values[row]!, type)};`);
    else if (scale === 0) text.whole(value, SEMICOLON);
    else text.decimal(value, scale, precision > scale, SEMICOLON);
  };
}

/** As DuckDB casts it to text: without a zero before the point where the type has no digit there. */
function sqlDecimal(unscaled: bigint, { precision, scale }: ColumnType & { readonly kind: "decimal" }): string {
  const text = decimalText(unscaled, scale);
  return precision === scale ? text.replace(/^(-?)0\./, "$1.") : text;
}

/** Doubles of a column whose texts are remembered: prices and shares come again and again, and each text takes 1 us. */
const REMEMBERED = 1_000;

function rememberedText(value: number, known: Map<number, string>): string {
  const before = known.get(value);
  if (before !== undefined) return before;
  const text = doubleText(value);
  if (known.size < REMEMBERED) known.set(value, text);
  return text;
}

/** Seventeen digits and an exponent of at least two, as C prints them; -0 as 0. */
function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const text = (value + 0).toExponential(16);
  const oneDigit = text.charCodeAt(text.length - 2) < ZERO;
  return oneDigit ? `${text.slice(0, -1)}0${text.slice(-1)}` : text;
}
