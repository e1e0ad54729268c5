/**
 * Sums as integers of 32-bit limbs, each in a double, the lowest first: additions go to limbs without a carry, and the limbs
 * are carried once in a million rows. All but the highest are then at least 0 and below 2^32; the highest has the sign.
 *
 * This is the small superaccumulator of Radford M. Neal, "Fast exact summation using small and large superaccumulators"
 * (https://arxiv.org/abs/1505.05571), with limbs only where values have bits.
 */

export const LIMB = 4_294_967_296;

/** A row adds less than 2^32 to a limb: from 2^51, so many rows lead to less than 2^53, which a double holds exactly. */
export const ROWS_PER_CARRY = 1 << 20;

/** A highest limb that grew past this needs another above it. */
export const MAX_TOP_LIMB = 2 ** 51;

/** Carries the limbs `[first, first + width)`, and gives the size of the highest. There is one at least. */
export function carryLimbs(limbs: Float64Array, first: number, width: number): number {
  const top = first + width - 1;
  for (let limb = first; limb < top; limb++) {
    const value = limbs[limb]!;
    if (value >= 0 && value < LIMB) continue;
    const carried = Math.floor(value / LIMB);
    limbs[limb] = value - carried * LIMB;
    limbs[limb + 1]! += carried;
  }
  return Math.abs(limbs[top]!);
}
