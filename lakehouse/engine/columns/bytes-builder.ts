import type { BytesColumn, Column, ColumnType } from "./column.ts";
import { requireKind } from "./column-kind.ts";
import { grownCapacity, INITIAL_CAPACITY, MAX_OFFSET, NullMarks } from "./growth.ts";

const encoder = new TextEncoder();

/** Below this many bytes a loop beats `TypedArray.set`, which needs a temporary view. */
const LOOP_COPY_LIMIT = 48;

/** As above, for a loop over four bytes at a time. */
const WORD_COPY_LIMIT = 192;

/** UTF-8 bytes per UTF-16 code unit, at most. */
const MAX_UTF8_PER_UNIT = 3;

/** Builds a `utf8` or `binary` column. Throws a RangeError when the column would pass 2 GiB (Arrow's 32-bit offsets). */
export class BytesBuilder {
  readonly kind = "bytes";
  readonly type: ColumnType;
  length = 0;
  #used = 0;
  #offsets = new Int32Array(INITIAL_CAPACITY);
  #bytes = new Uint8Array(INITIAL_CAPACITY * 8);
  /** Of `#bytes`. */
  #view = new DataView(this.#bytes.buffer);
  readonly #nulls = new NullMarks();

  constructor(type: ColumnType) {
    this.type = type;
  }

  get byteLength(): number {
    return (this.length + 1) * 4 + this.#used + this.#nulls.byteLength(this.length);
  }

  /** Appends `source[start, end)` as one value. For `utf8` the caller vouches that it is valid UTF-8: it is not decoded here. */
  pushBytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    if (start < 0 || count < 0 || end > source.length) {
      throw new RangeError(`bytes ${start} to ${end} of a source of ${source.length}`);
    }
    this.#reserveBytes(count);
    const bytes = this.#bytes;
    const used = this.#used;
    if (count < LOOP_COPY_LIMIT) {
      // In bounds: checked above.
      for (let i = 0; i < count; i++) bytes[used + i] = source[start + i]!;
    } else {
      bytes.set(source.subarray(start, end), used);
    }
    this.#endValue(used + count);
  }

  /** As `pushBytes`, copying four bytes at a time: the fastest way for the short texts of events. */
  pushView(source: DataView, start: number, end: number): void {
    const count = end - start;
    if (count < 0) throw new RangeError(`bytes ${start} to ${end}`);
    this.#reserveBytes(count);
    const view = this.#view;
    const used = this.#used;
    if (count > WORD_COPY_LIMIT) {
      if (start < 0 || end > source.byteLength)
        throw new RangeError(`bytes ${start} to ${end} of ${source.byteLength}`);
      this.#bytes.set(new Uint8Array(source.buffer, source.byteOffset + start, count), used);
      this.#endValue(used + count);
      return;
    }
    // What lies past the source throws as it is read; asking for the source's length would take as long as the copy.
    let at = 0;
    for (; at + 4 <= count; at += 4) view.setUint32(used + at, source.getUint32(start + at, true), true);
    for (; at < count; at++) view.setUint8(used + at, source.getUint8(start + at));
    this.#endValue(used + count);
  }

  /** Appends `value` `count` times; for `utf8` as `pushBytes` has it. */
  pushRepeated(value: Uint8Array, count: number): void {
    const size = value.length;
    const start = this.#used;
    const end = start + size * count;
    this.#reserveBytes(size * count);
    this.#reserveRows(count);
    if (count > 0) this.#bytes.set(value, start);
    // Doubling what is there: a few large copies instead of many small ones.
    for (let filled = start + size; filled < end; ) {
      const copied = Math.min(filled - start, end - filled);
      this.#bytes.copyWithin(filled, start, start + copied);
      filled += copied;
    }
    for (let i = 1; i <= count; i++) this.#offsets[this.length + i] = start + size * i;
    this.#used = end;
    this.length += count;
  }

  /** Appends `text` as UTF-8. Throws a RangeError on a lone surrogate, which has no UTF-8 form: encoding would replace it in silence. */
  pushString(text: string): void {
    if (!text.isWellFormed()) throw new RangeError("the text holds a lone surrogate");
    this.#reserveBytes(text.length * MAX_UTF8_PER_UNIT);
    // No more room than it can need: what workerd does with the destination costs time by its length.
    const { written } = encoder.encodeInto(
      text,
      this.#bytes.subarray(this.#used, this.#used + text.length * MAX_UTF8_PER_UNIT),
    );
    this.#endValue(this.#used + written);
  }

  pushNull(): void {
    this.#nulls.mark(this.length);
    this.#endValue(this.#used);
  }

  pushNulls(count: number): void {
    this.#reserveRows(count);
    this.#nulls.markRange(this.length, this.length + count);
    this.#offsets.fill(this.#used, this.length + 1, this.length + count + 1);
    this.length += count;
  }

  appendFrom(column: Column, index: number): void {
    const source = requireKind(column, "bytes");
    if (source.nulls?.[index] === 1) this.pushNull();
    // A column has length + 1 offsets.
    else this.pushBytes(source.bytes, source.offsets[index]!, source.offsets[index + 1]!);
  }

  finish(): BytesColumn {
    const { type, length } = this;
    const offsets = this.#offsets.slice(0, length + 1);
    const bytes = this.#bytes.slice(0, this.#used);
    const nulls = this.#nulls.take(length);
    this.length = 0;
    this.#used = 0;
    return { kind: "bytes", type, length, nulls, offsets, bytes };
  }

  #reserveBytes(count: number): void {
    const needed = this.#used + count;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_OFFSET) throw new RangeError("a column of bytes cannot hold 2 GiB");
    // Frees what it replaces at once, which else waits for a collection: a flush's largest arrays grow here.
    this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(grownCapacity(this.#bytes.length, needed)));
    this.#view = new DataView(this.#bytes.buffer);
  }

  #reserveRows(count: number): void {
    const needed = this.length + 1 + count;
    if (needed <= this.#offsets.length) return;
    const grown = new Int32Array(grownCapacity(this.#offsets.length, needed));
    grown.set(this.#offsets);
    this.#offsets = grown;
  }

  /** `offsets[0]` is 0 for good: it is never written. */
  #endValue(end: number): void {
    const row = this.length + 1;
    if (row === this.#offsets.length) this.#reserveRows(1);
    this.#offsets[row] = end;
    this.#used = end;
    this.length = row;
  }
}
