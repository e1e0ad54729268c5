import type { Int32Column } from "../columns/column.ts";
import { int32s } from "../columns/growth.ts";
import { mixed } from "../columns/hash.ts";
import { release } from "../columns/release.ts";
import { PartialFormatError } from "../ir/errors.ts";
import { int32State } from "./state-columns.ts";

const ENTRY_WORDS = 4;
/** Entries of a segment, a power of two: 256 KB. Entries never move, so that growing takes no second copy of them. */
const SEGMENT = 1 << 14;
const FIRST_SLOTS = 64;

/**
 * Pairs of a group and a fingerprint of 96 bits, each once: 16 bytes a pair, and 5 to 11 for the slots of an open-addressing
 * table over them.
 */
export class DistinctSet {
  readonly #segments: Int32Array[] = [];
  // A slot holds an entry's number + 1, or 0. There are a power of two of them, at most three quarters in use.
  #slots = int32s(FIRST_SLOTS);
  /** How many pairs there are. */
  size = 0;

  get byteLength(): number {
    return this.#slots.byteLength + this.#segments.length * SEGMENT * ENTRY_WORDS * 4;
  }

  /** Adds a pair; false when it was there. `beforeNew` is called before the set grows, and may throw. */
  add(group: number, a: number, b: number, c: number, beforeNew: () => void): boolean {
    const mask = this.#slots.length - 1;
    const hash = hashOf(group, a, b, c);
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      const segment = this.#segments[(entry - 1) >>> 14]!;
      const at = ((entry - 1) & (SEGMENT - 1)) * ENTRY_WORDS;
      if (segment[at] === group && segment[at + 1] === a && segment[at + 2] === b && segment[at + 3] === c)
        return false;
      slot = (slot + 1) & mask;
    }
    beforeNew();
    this.#insert(slot, group, a, b, c);
    return true;
  }

  /** Adds a pair that is not there: for who knows it, no pair is compared. */
  append(group: number, a: number, b: number, c: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(group, a, b, c) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#insert(slot, group, a, b, c);
  }

  #insert(slot: number, group: number, a: number, b: number, c: number): void {
    const at = this.size & (SEGMENT - 1);
    if (at === 0) this.#segments.push(int32s(SEGMENT * ENTRY_WORDS));
    // The line above made the segment, or an earlier call.
    const segment = this.#segments[this.#segments.length - 1]!;
    segment[at * ENTRY_WORDS] = group;
    segment[at * ENTRY_WORDS + 1] = a;
    segment[at * ENTRY_WORDS + 2] = b;
    segment[at * ENTRY_WORDS + 3] = c;
    this.size++;
    this.#slots[slot] = this.size;
    if (this.size * 4 > this.#slots.length * 3) this.reserve(this.size);
  }

  /** Makes room for so many pairs in all: who knows how many come spares the table's growth. */
  reserve(pairs: number): void {
    let slots = this.#slots.length;
    while (pairs * 4 > slots * 3) slots *= 2;
    if (slots === this.#slots.length) return;
    // It is filled by the pairs: the old one goes first.
    release(this.#slots);
    this.#slots = int32s(slots);
    this.#fill(slots - 1);
  }

  /** Frees the arrays: the set is of no use any more. */
  release(): void {
    release(this.#slots);
    for (const segment of this.#segments) release(segment);
    this.#segments.length = 0;
  }

  #fill(mask: number): void {
    let number = 0;
    for (const segment of this.#segments) {
      for (let at = 0; at < segment.length && number < this.size; at += ENTRY_WORDS) {
        let slot = hashOf(segment[at]!, segment[at + 1]!, segment[at + 2]!, segment[at + 3]!) & mask;
        while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
        this.#slots[slot] = ++number;
      }
    }
  }

  /** The pairs in columns of four words a pair, 256 KB each, which are views of the set. */
  *save(): Generator<Int32Column> {
    for (const [at, segment] of this.#segments.entries())
      yield int32State(segment.subarray(0, Math.min(SEGMENT, this.size - at * SEGMENT) * ENTRY_WORDS));
  }
}

/** Calls `each` with every pair of a column of a saved set, in its order. */
export function forEachPair(
  { values }: Int32Column,
  each: (group: number, a: number, b: number, c: number) => void,
): void {
  if (values.length % ENTRY_WORDS !== 0) throw new PartialFormatError("a distinct set ends within a pair");
  // Four words at a time, within the length.
  for (let at = 0; at < values.length; at += ENTRY_WORDS) {
    each(values[at]!, values[at + 1]!, values[at + 2]!, values[at + 3]!);
  }
}

function hashOf(group: number, a: number, b: number, c: number): number {
  return mixed(mixed(mixed(group ^ a) ^ b) ^ c ^ Math.imul(group, 0x9e3779b1));
}
