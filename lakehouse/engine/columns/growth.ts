import { release } from "./release.ts";

/** The capacity, in elements, that a new builder starts with; small, because a wide contract holds many builders at once. */
export const INITIAL_CAPACITY = 64;

/** Largest value of an Arrow 32-bit offset, hence the most bytes or list items that one column can hold. */
export const MAX_OFFSET = 0x7fff_ffff;

/** The capacity to grow to so that `needed` elements fit: doubling, so that n pushes copy at most 2n elements in all. */
export function grownCapacity(capacity: number, needed: number): number {
  let next = Math.max(capacity, INITIAL_CAPACITY);
  while (next < needed) next *= 2;
  return next;
}

/**
 * The null marks of a column under construction: one byte per row, allocated at the first null, so that a column without
 * nulls costs nothing. Rows are marked in ascending order; rows never marked are not null.
 */
export class NullMarks {
  #bytes: Uint8Array | undefined;

  /** Bytes that the marks of `length` rows take in the finished column: `length`, or 0 while nothing is null. */
  byteLength(length: number): number {
    return this.#bytes === undefined ? 0 : length;
  }

  mark(row: number): void {
    this.#reserve(row + 1)[row] = 1;
  }

  /** Marks the rows `[start, end)`. */
  markRange(start: number, end: number): void {
    if (end > start) this.#reserve(end).fill(1, start, end);
  }

  /** The marks of the first `length` rows, exactly that long, or undefined when none is null; then forgets them. */
  take(length: number): Uint8Array | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes === undefined) return undefined;
    // Marks end at the last null row; rows after it have no byte yet.
    const exact = new Uint8Array(length);
    exact.set(bytes.subarray(0, Math.min(length, bytes.length)));
    return exact;
  }
  #reserve(rows: number): Uint8Array {
    const bytes = this.#bytes;
    if (bytes !== undefined && rows <= bytes.length) return bytes;
    const grown = new Uint8Array(grownCapacity(bytes?.length ?? 0, rows));
    if (bytes !== undefined) grown.set(bytes);
    this.#bytes = grown;
    return grown;
  }
}

type Growing = Uint8Array | Int32Array | Uint32Array | Float64Array;

/**
 * `array` with room for `count` values at least; what is there is kept, the rest is 0. Growth is by half: state that is held
 * for every group of a partition may not stand half empty. The old array is freed at once, so no view of it may be read any more.
 */
export function grown<A extends Growing>(array: A, count: number, make: (length: number) => A): A {
  if (array.length >= count) return array;
  const larger = make(Math.max(count, Math.ceil(array.length * 1.5), 16));
  larger.set(array);
  release(array);
  return larger;
}

export const uint8s = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);
export const int32s = (length: number): Int32Array<ArrayBuffer> => new Int32Array(length);
export const float64s = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length);
