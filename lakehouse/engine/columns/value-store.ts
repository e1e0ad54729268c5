/**
 * Values of one column type by number, in typed arrays: what group keys and extremes are kept in. A value takes the bytes of
 * its type, a text eight more.
 *
 * Invariant of the stores: `at` is below `length` and `row` below the opened column's length, so indexed reads are defined;
 * that is what each `!` here relies on.
 */
import type { Column, ColumnType, Nulls } from "./column.ts";
import { grown, uint8s } from "./growth.ts";
import { release } from "./release.ts";

export abstract class ValueStore {
  /** How many values there are. */
  length = 0;
  protected readonly type: ColumnType;
  /** One byte per value, 1 = null; made at the first null. */
  #nulls: Uint8Array | undefined;

  constructor(type: ColumnType) {
    this.type = type;
  }

  /** The rows that the calls from now on speak of. Throws a TypeError when the column has another layout than the store. */
  abstract open(column: Column): void;
  /** Whether value `at` equals the row: NaN equals NaN and -0 equals 0. Neither is null. */
  abstract equals(at: number, row: number): boolean;
  /** The order of the row and value `at`, as SQL compares them: negative, zero or positive. Neither is null. */
  abstract compare(row: number, at: number): number;
  /** `differing` where there are no nulls: the inner loop of grouping, so each store has one of its own for its types. */
  protected abstract differingValues(numbers: Int32Array): readonly number[];
  protected abstract store(at: number, row: number): void;
  protected abstract reserve(count: number): void;
  /** The values [from, to), copied. */
  protected abstract toColumn(from: number, to: number, nulls: Nulls): Column;
  /** Bytes of the arrays, without the marks of nulls. */
  protected abstract readonly valueBytes: number;

  /** Frees the arrays: the last call. */
  release(): void {
    if (this.#nulls !== undefined) release(this.#nulls);
    this.releaseValues();
  }
  protected abstract releaseValues(): void;

  get byteLength(): number {
    return this.valueBytes + (this.#nulls?.length ?? 0);
  }

  /** Appends the row, which is not null. */
  push(row: number): void {
    const at = this.length++;
    this.reserve(at + 1);
    if (this.#nulls !== undefined) this.#nulls = grown(this.#nulls, at + 1, uint8s);
    this.store(at, row);
  }

  /** Makes the store `length` values long; those that are new are null. */
  extend(length: number): void {
    if (length <= this.length) return;
    this.reserve(length);
    this.#nulls = grown(this.#nulls ?? uint8s(0), length, uint8s);
    this.#nulls.fill(1, this.length, length);
    this.length = length;
  }

  /** Puts the row, which is not null, in the place of value `at`. */
  set(at: number, row: number): void {
    if (this.#nulls !== undefined) this.#nulls[at] = 0;
    this.store(at, row);
  }

  /** Makes value `at` null. */
  setNull(at: number): void {
    this.#nulls = grown(this.#nulls ?? uint8s(0), this.length, uint8s);
    this.#nulls[at] = 1;
  }

  isNull(at: number): boolean {
    return this.#nulls !== undefined && this.#nulls[at] === 1;
  }

  /** Whether value `at` is the row's, which is null if `rowIsNull`; NULL is NULL. */
  holds(at: number, row: number, rowIsNull: boolean): boolean {
    const isNull = this.isNull(at);
    return isNull === rowIsNull && (isNull || this.equals(at, row));
  }

  /** The rows, in ascending order, whose value is not that of number `numbers[row]`. */
  differing(numbers: Int32Array, nulls: Nulls): readonly number[] {
    if (this.#nulls === undefined && nulls === undefined) return this.differingValues(numbers);
    const rows: number[] = [];
    for (let row = 0; row < numbers.length; row++) {
      if (!this.holds(numbers[row]!, row, nulls?.[row] === 1)) rows.push(row);
    }
    return rows;
  }

  /** The values [from, to), which there are, as a column, copied. */
  finish(from = 0, to = this.length): Column {
    const nulls = this.#nulls?.slice(from, to);
    return this.toColumn(from, to, nulls?.includes(1) ? nulls : undefined);
  }
}
