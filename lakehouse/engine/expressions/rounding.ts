/** Rounding as DuckDB does it: of casts, of `round`, and of what does not fit the scale of a decimal. */

/** Divides, rounding half away from zero, as DuckDB rounds decimals. `divisor` is positive. */
export function divideRounding(value: bigint, divisor: bigint): bigint {
  const half = divisor / 2n;
  return (value < 0n ? value - half : value + half) / divisor;
}

/** C's `round`: half away from zero. */
export function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

/** C's `nearbyint`: half to even. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
