import type { Column } from "../columns/column.ts";
import { wordsOf } from "../columns/fixed-width-stores.ts";
import { float64s, grown, int32s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { PartialFormatError } from "../ir/errors.ts";
import { carryLimbs, MAX_TOP_LIMB, ROWS_PER_CARRY } from "./limbs.ts";
import { float64State, int32State, stateColumn } from "./state-columns.ts";

/**
 * Exact sums of integers (of decimals: the unscaled ones) per group, as 32-bit limbs in doubles. All groups have the same
 * number of limbs, as many as the largest value or sum needs: one for most, that is eight bytes a group.
 */
export class IntegerSums {
  /** Group g has `#limbs[g * #width]`, the lowest, and the `#width - 1` above it. All but the highest are positive once carried. */
  #limbs = float64s(0);
  #width = 1;
  #groups = 0;
  #pending = 0;

  get byteLength(): number {
    return this.#limbs.byteLength;
  }

  /** Adds each row's integer to its group; rows of a negative group are left out. */
  add(column: Column, groups: Int32Array, groupCount: number): void {
    const words = wordsOf(column);
    const size = column.kind === "int32" ? 1 : column.kind === "int64" ? 2 : 4;
    this.#reserve(groupCount);
    for (let start = 0; start < groups.length; start += ROWS_PER_CARRY) {
      const end = Math.min(groups.length, start + ROWS_PER_CARRY);
      if (this.#pending + (end - start) > ROWS_PER_CARRY) this.#carry();
      this.#pending += end - start;
      if (size === 4) this.#widen(4);
      let limbs = this.#limbs;
      let width = this.#width;
      // Groups are below groupCount and rows below the column's length: the reads are defined.
      for (let row = start; row < end; row++) {
        const group = groups[row]!;
        if (group < 0) continue;
        const low = words[row * size]!;
        const high = words[row * size + size - 1]!;
        // An integer of 32 bits, as most amounts are, goes into one limb with its sign.
        if (size === 1 || (size === 2 && high === low >> 31)) {
          limbs[group * width]! += low;
          continue;
        }
        if (width < size) {
          this.#widen(size);
          limbs = this.#limbs;
          width = this.#width;
        }
        for (let word = 0; word < size - 1; word++) limbs[group * width + word]! += words[row * size + word]! >>> 0;
        limbs[group * width + size - 1]! += high;
      }
    }
  }

  total(group: number): bigint {
    let total = 0n;
    if (group >= this.#groups) return total;
    for (let limb = this.#width - 1; limb >= 0; limb--) {
      total = total * 4_294_967_296n + BigInt(this.#limbs[group * this.#width + limb]!);
    }
    return total;
  }

  /** Of the groups [from, to). */
  save(from: number, to: number): readonly Column[] {
    this.#reserve(to);
    if (this.#pending > 0) this.#carry();
    const width = this.#width;
    return [int32State(int32s(1).fill(width)), float64State(this.#limbs.subarray(from * width, to * width))];
  }

  /** Adds the group i of a saved state to the group `groups[i]`. */
  merge(state: readonly Column[], groups: Int32Array, groupCount: number): void {
    const [width] = stateColumn(state, 0, "int32", 1).values;
    if (width === undefined || width < 1) throw new PartialFormatError("a sum has no limbs");
    const { values } = stateColumn(state, 1, "float64", groups.length * width);
    this.#reserve(groupCount);
    this.#widen(width);
    // A saved limb is at most 2^51, and so is a carried one: their sum is exact.
    if (this.#pending > 0) this.#carry();
    let largest = 0;
    for (let i = 0; i < groups.length; i++) {
      const to = groups[i]! * this.#width;
      for (let limb = 0; limb < width; limb++) this.#limbs[to + limb]! += values[i * width + limb]!;
      largest = Math.max(largest, carryLimbs(this.#limbs, to, this.#width));
    }
    if (largest > MAX_TOP_LIMB) this.#carry();
  }

  /** Frees the limbs: the sums are of no use any more. */
  release(): void {
    release(this.#limbs);
  }

  #reserve(groups: number): void {
    this.#groups = Math.max(this.#groups, groups);
    this.#limbs = grown(this.#limbs, this.#groups * this.#width, float64s);
  }

  #widen(width: number): void {
    const old = this.#width;
    if (width <= old) return;
    const limbs = float64s(this.#groups * width);
    for (let group = 0; group < this.#groups; group++) {
      for (let limb = 0; limb < old; limb++) limbs[group * width + limb] = this.#limbs[group * old + limb]!;
    }
    release(this.#limbs);
    this.#limbs = limbs;
    this.#width = width;
  }

  #carry(): void {
    this.#pending = 0;
    let largest = 0;
    for (let group = 0; group < this.#groups; group++) {
      largest = Math.max(largest, carryLimbs(this.#limbs, group * this.#width, this.#width));
    }
    if (largest <= MAX_TOP_LIMB) return;
    this.#widen(this.#width + 1);
    this.#carry();
  }
}
