import type { Column } from "../columns/column.ts";
import { float64s, grown, int32s } from "../columns/growth.ts";
import { release } from "../columns/release.ts";
import { PartialFormatError } from "../ir/errors.ts";
import { carryLimbs, MAX_TOP_LIMB, ROWS_PER_CARRY } from "./limbs.ts";
import { nearestDouble } from "./nearest-double.ts";
import { float64State, int32State, stateColumn } from "./state-columns.ts";

/** Limb 0 counts from the lowest bit of the smallest double. */
const LOWEST_EXPONENT = -1074;

/**
 * Exact sums of finite doubles per group. A group has limbs from the lowest to the highest bit of its values: three for
 * amounts of money, 67 (536 bytes) where values run over the whole range of doubles.
 */
export class DoubleSums {
  /** Limbs of all groups; group g has `#lengths[g]` of them at `#starts[g]`, the first counting 2^(32 * #bases[g] - 1074). */
  #limbs = float64s(0);
  #starts = int32s(0);
  #bases = int32s(0);
  #lengths = int32s(0);
  #used = 0;
  #groups = 0;
  #pending = 0;
  readonly #one = new Float64Array(1);
  readonly #words = new Int32Array(this.#one.buffer);

  get byteLength(): number {
    return this.#limbs.byteLength + 3 * this.#starts.byteLength;
  }

  /** Makes room for groups below `groups`, and for `rows` calls of `add` to any of them: at most `ROWS_PER_CARRY`. */
  begin(groups: number, rows: number): void {
    this.#groups = Math.max(this.#groups, groups);
    this.#starts = grown(this.#starts, groups, int32s);
    this.#bases = grown(this.#bases, groups, int32s);
    this.#lengths = grown(this.#lengths, groups, int32s);
    if (this.#pending + rows > ROWS_PER_CARRY) this.#carry();
    this.#pending += rows;
  }

  /** Adds a double; false, and nothing is added, when it is infinite or NaN. Groups are those of `begin`. */
  add(group: number, value: number): boolean {
    this.#one[0] = value;
    const top = this.#words[1]!;
    const low = this.#words[0]!;
    const exponent = (top >>> 20) & 0x7ff;
    if (exponent === 0x7ff) return false;
    // Numbers below 2^-1022 lack the leading 1, and count from the same lowest bit as the smallest that has it.
    const high = exponent === 0 ? top & 0xfffff : (top & 0xfffff) | 0x100000;
    const bit = exponent === 0 ? 0 : exponent - 1;
    const shift = bit & 31;
    const limb = bit >>> 5;
    // 53 bits, shifted, lie in up to three limbs; the outer ones are often empty.
    const first = (low << shift) >>> 0;
    const second = ((high << shift) | (shift === 0 ? 0 : low >>> (32 - shift))) >>> 0;
    const third = shift === 0 ? 0 : high >>> (32 - shift);
    if (first === 0 && second === 0 && third === 0) return true;
    const from = first !== 0 ? limb : second !== 0 ? limb + 1 : limb + 2;
    const to = third !== 0 ? limb + 2 : second !== 0 ? limb + 1 : limb;
    const base = this.#bases[group]!;
    if (from < base || to >= base + this.#lengths[group]!) this.#cover(group, from, to);
    const at = this.#starts[group]! + limb - this.#bases[group]!;
    const limbs = this.#limbs;
    const negative = top < 0;
    if (first !== 0) limbs[at]! += negative ? -first : first;
    if (second !== 0) limbs[at + 1]! += negative ? -second : second;
    if (third !== 0) limbs[at + 2]! += negative ? -third : third;
    return true;
  }

  /** The sum, rounded once to the nearest double (ties to even); infinite when it is too large for one. */
  total(group: number): number {
    const length = this.#lengths[group] ?? 0;
    const start = this.#starts[group] ?? 0;
    let total = 0n;
    for (let limb = start + length - 1; limb >= start; limb--) {
      total = total * 4_294_967_296n + BigInt(this.#limbs[limb]!);
    }
    return nearestDouble(total, 32 * (this.#bases[group] ?? 0) + LOWEST_EXPONENT);
  }

  /** Of the groups [from, to). */
  save(from: number, to: number): readonly Column[] {
    this.begin(to, 0);
    if (this.#pending > 0) this.#carry();
    const lengths = this.#lengths.subarray(from, to);
    const limbs = float64s(lengths.reduce((total, length) => total + length, 0));
    for (let group = from, at = 0; group < to; at += this.#lengths[group]!, group++) {
      const start = this.#starts[group]!;
      limbs.set(this.#limbs.subarray(start, start + this.#lengths[group]!), at);
    }
    return [int32State(this.#bases.subarray(from, to)), int32State(lengths), float64State(limbs)];
  }

  /** Adds the group i of a saved state to the group `groups[i]`. */
  merge(state: readonly Column[], groups: Int32Array, groupCount: number): void {
    const bases = stateColumn(state, 0, "int32", groups.length).values;
    const lengths = stateColumn(state, 1, "int32", groups.length).values;
    const { values } = stateColumn(state, 2, "float64");
    this.begin(groupCount, 0);
    // A saved limb is at most 2^51, and so is a carried one: their sum is exact.
    if (this.#pending > 0) this.#carry();
    let at = 0;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      const length = lengths[i]!;
      if (length < 0 || at + length > values.length) throw new PartialFormatError("a sum lacks limbs");
      if (length > 0) this.#cover(group, bases[i]!, bases[i]! + length - 1);
      const to = this.#starts[group]! + bases[i]! - this.#bases[group]!;
      for (let limb = 0; limb < length; limb++) this.#limbs[to + limb]! += values[at + limb]!;
      at += length;
      if (length > 0) this.#carryGroup(group);
    }
    this.#closeGaps();
  }

  /** Frees the limbs: the sums are of no use any more. */
  release(): void {
    for (const array of [this.#limbs, this.#starts, this.#bases, this.#lengths]) release(array);
  }

  /** Makes the group have limbs `low` to `high`: in a new place, which leaves a gap, since its neighbours stand beside it. */
  #cover(group: number, low: number, high: number): void {
    const length = this.#lengths[group]!;
    const base = this.#bases[group]!;
    const newBase = length === 0 ? low : Math.min(base, low);
    const newLength = (length === 0 ? high + 1 : Math.max(base + length, high + 1)) - newBase;
    if (newLength === length) return;
    const start = this.#used;
    this.#used += newLength;
    this.#limbs = grown(this.#limbs, this.#used, float64s);
    const from = this.#starts[group]!;
    this.#limbs.fill(0, start, this.#used);
    for (let limb = 0; limb < length; limb++) {
      this.#limbs[start + base - newBase + limb] = this.#limbs[from + limb]!;
    }
    this.#starts[group] = start;
    this.#bases[group] = newBase;
    this.#lengths[group] = newLength;
  }

  #carry(): void {
    this.#pending = 0;
    for (let group = 0; group < this.#groups; group++) if (this.#lengths[group]! > 0) this.#carryGroup(group);
    this.#closeGaps();
  }

  /** It has a limb at least. */
  #carryGroup(group: number): void {
    const length = this.#lengths[group]!;
    if (carryLimbs(this.#limbs, this.#starts[group]!, length) <= MAX_TOP_LIMB) return;
    const base = this.#bases[group]!;
    this.#cover(group, base, base + length);
    carryLimbs(this.#limbs, this.#starts[group]!, length + 1);
  }

  #closeGaps(): void {
    if (this.#used > 4096 && this.#live() < this.#used / 2) this.#close();
  }

  #live(): number {
    let live = 0;
    for (let group = 0; group < this.#groups; group++) live += this.#lengths[group]!;
    return live;
  }

  /** Moves the limbs of the groups together, in the order of the groups. */
  #close(): void {
    const limbs = float64s(this.#live());
    let used = 0;
    for (let group = 0; group < this.#groups; group++) {
      const length = this.#lengths[group]!;
      const from = this.#starts[group]!;
      for (let limb = 0; limb < length; limb++) limbs[used + limb] = this.#limbs[from + limb]!;
      this.#starts[group] = used;
      used += length;
    }
    release(this.#limbs);
    this.#limbs = limbs;
    this.#used = used;
  }
}
