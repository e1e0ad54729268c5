import type {
  BoolColumn,
  Column,
  ColumnType,
  Float64Column,
  Int32Column,
  Int64Column,
  Int128Column,
} from "./column.ts";
import { requireKind } from "./column-kind.ts";
import { grownCapacity, INITIAL_CAPACITY, NullMarks } from "./growth.ts";

// In all of these, `row < this.length <= capacity`, and source indices are the caller's to keep within the source column:
// that is why the `!` on typed-array reads below are true.

/** Builds a `bool` column. `byteLength` counts the bytes of the rows pushed, not the spare capacity. */
export class BoolBuilder {
  readonly kind = "bool";
  readonly type: ColumnType;
  length = 0;
  #values = new Uint8Array(INITIAL_CAPACITY);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
  }

  get byteLength(): number {
    return this.length + this.#nulls.byteLength(this.length);
  }

  push(value: boolean): void {
    this.#pushByte(value ? 1 : 0);
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.#pushByte(0);
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "bool");
    if (source.nulls?.[index] === 1) this.pushNull();
    else this.#pushByte(source.values[index]!);
  }

  finish(): BoolColumn {
    const { type, length } = this;
    const values = this.#values.slice(0, length);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    return { kind: "bool", type, length, nulls, values };
  }

  #pushByte(byte: number): void {
    const row = this.length;
    if (row === this.#values.length) {
      const grown = new Uint8Array(grownCapacity(row, row + 1));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[row] = byte;
    this.length = row + 1;
  }
}

/** Builds an `int32` or `date` column (days since the epoch). */
export class Int32Builder {
  readonly kind = "int32";
  readonly type: ColumnType;
  length = 0;
  #values = new Int32Array(INITIAL_CAPACITY);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
  }

  get byteLength(): number {
    return this.length * 4 + this.#nulls.byteLength(this.length);
  }

  /** Throws a RangeError when `value` is not a 32-bit integer. */
  push(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is not a 32-bit integer`);
    const row = this.length;
    if (row === this.#values.length) this.#reserve(1);
    this.#values[row] = value;
    this.length = row + 1;
  }

  /** Pushes `value` `count` times. */
  pushRepeated(value: number, count: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is not a 32-bit integer`);
    this.#reserve(count);
    this.#values.fill(value, this.length, this.length + count);
    this.length += count;
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.push(0);
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "int32");
    if (source.nulls?.[index] === 1) this.pushNull();
    else this.push(source.values[index]!);
  }

  finish(): Int32Column {
    const { type, length } = this;
    const values = this.#values.slice(0, length);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    return { kind: "int32", type, length, nulls, values };
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#values.length) return;
    const grown = new Int32Array(grownCapacity(this.#values.length, needed));
    grown.set(this.#values);
    this.#values = grown;
  }
}

/** Builds a `float64` column; every bit pattern is kept, NaN and -0 included. */
export class Float64Builder {
  readonly kind = "float64";
  readonly type: ColumnType;
  length = 0;
  #values = new Float64Array(INITIAL_CAPACITY);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
  }

  get byteLength(): number {
    return this.length * 8 + this.#nulls.byteLength(this.length);
  }

  push(value: number): void {
    const row = this.length;
    if (row === this.#values.length) {
      const grown = new Float64Array(grownCapacity(row, row + 1));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[row] = value;
    this.length = row + 1;
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.push(0);
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "float64");
    if (source.nulls?.[index] === 1) this.pushNull();
    else this.push(source.values[index]!);
  }

  finish(): Float64Column {
    const { type, length } = this;
    const values = this.#values.slice(0, length);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    return { kind: "float64", type, length, nulls, values };
  }
}

const TWO_POW_32 = 4_294_967_296;
const INT64_MAX = 2n ** 63n - 1n;
const LOW_64 = 2n ** 64n - 1n;

/**
 * Builds an `int64` or `timestamp` column (microseconds since the epoch), or a `decimal` of precision up to 18 (unscaled values).
 * Pushes throw a RangeError beyond 64 bits, or beyond a decimal's precision: Parquet stores narrow decimals in fewer bytes,
 * and a value that does not fit would be wrapped there in silence.
 */
export class Int64Builder {
  readonly kind = "int64";
  readonly type: ColumnType;
  length = 0;
  readonly #max: bigint;
  readonly #min: bigint;
  readonly #maxNumber: number;
  #values = new BigInt64Array(INITIAL_CAPACITY);
  /** The same buffer as 32-bit words, low word first (WebAssembly and every machine that runs it are little-endian). */
  #words = new Int32Array(this.#values.buffer);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
    this.#max = type.kind === "decimal" ? 10n ** BigInt(type.precision) - 1n : INT64_MAX;
    this.#min = type.kind === "decimal" ? -this.#max : -INT64_MAX - 1n;
    this.#maxNumber = Math.min(Number(this.#max), Number.MAX_SAFE_INTEGER);
  }

  get byteLength(): number {
    return this.length * 8 + this.#nulls.byteLength(this.length);
  }

  push(value: bigint): void {
    if (value > this.#max || value < this.#min) throw new RangeError(`${value} is out of range for ${this.type.kind}`);
    this.#reserve(1);
    this.#values[this.length++] = value;
  }

  /** As `push`, without allocating a bigint. Throws a RangeError when `value` is not a safe integer in range. */
  pushNumber(value: number): void {
    if (!Number.isInteger(value) || value > this.#maxNumber || value < -this.#maxNumber) {
      throw new RangeError(`${value} is out of range for ${this.type.kind}`);
    }
    const high = Math.floor(value / TWO_POW_32);
    this.#pushWords(value - high * TWO_POW_32, high);
  }

  /** Pushes `value` `count` times, as `pushNumber` does. */
  pushNumberRepeated(value: number, count: number): void {
    if (count === 0) return;
    this.pushNumber(value);
    this.#reserve(count - 1);
    const first = this.length - 1;
    this.#values.fill(this.#values[first]!, first, first + count);
    this.length = first + count;
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.#pushWords(0, 0);
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "int64");
    if (source.nulls?.[index] === 1) this.pushNull();
    else this.push(source.values[index]!);
  }

  finish(): Int64Column {
    const { type, length } = this;
    const values = this.#values.slice(0, length);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    return { kind: "int64", type, length, nulls, values };
  }

  /** Stores wrap modulo 2^32, so `low` may be given unsigned. */
  #pushWords(low: number, high: number): void {
    this.#reserve(1);
    const word = this.length++ * 2;
    this.#words[word] = low;
    this.#words[word + 1] = high;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#values.length) return;
    const grown = new BigInt64Array(grownCapacity(this.#values.length, needed));
    grown.set(this.#values);
    this.#values = grown;
    this.#words = new Int32Array(grown.buffer);
  }
}

/** Builds a `decimal` column of precision 19 to 38 (unscaled values). Pushes throw a RangeError beyond the precision. */
export class Int128Builder {
  readonly kind = "int128";
  readonly type: ColumnType;
  length = 0;
  readonly #max: bigint;
  #values = new BigInt64Array(INITIAL_CAPACITY * 2);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
    this.#max = 10n ** BigInt(type.kind === "decimal" ? type.precision : 38) - 1n;
  }

  get byteLength(): number {
    return this.length * 16 + this.#nulls.byteLength(this.length);
  }

  push(value: bigint): void {
    if (value > this.#max || value < -this.#max) throw new RangeError(`${value} is out of range for ${this.type.kind}`);
    this.#pushWords(value & LOW_64, value >> 64n);
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.#pushWords(0n, 0n);
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "int128");
    if (source.nulls?.[index] === 1) this.pushNull();
    else this.#pushWords(source.values[2 * index]!, source.values[2 * index + 1]!);
  }

  finish(): Int128Column {
    const { type, length } = this;
    const values = this.#values.slice(0, length * 2);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    return { kind: "int128", type, length, nulls, values };
  }

  #pushWords(low: bigint, high: bigint): void {
    const word = this.length * 2;
    if (word === this.#values.length) {
      const grown = new BigInt64Array(grownCapacity(word, word + 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[word] = low;
    this.#values[word + 1] = high;
    this.length += 1;
  }
}
