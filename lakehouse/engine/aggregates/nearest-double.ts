/** `value * 2^exponent` as the nearest double, ties to even; infinite past the largest. `exponent` is at least -1074. */
export function nearestDouble(value: bigint, exponent: number): number {
  const size = value < 0n ? -value : value;
  const excess = Math.max(0, 4 * size.toString(16).length - 64);
  // Some 64 bits are rounded to 53 by the conversion, which is right to the bit if the last of them says whether more follow.
  const kept = size >> BigInt(excess);
  const odd = excess > 0 && kept << BigInt(excess) !== size ? kept | 1n : kept;
  // Two steps: a power beyond 2^1023 is no double. Both are exact, since no bit lies below 2^-1074.
  const power = excess + exponent;
  const half = Math.trunc(power / 2);
  const rounded = Number(odd) * 2 ** half * 2 ** (power - half);
  return value < 0n ? -rounded : rounded;
}
