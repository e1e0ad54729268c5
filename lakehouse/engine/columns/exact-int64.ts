const TWO_32 = 2 ** 32;

/** Reads 64-bit integers as doubles, NaN where a double may not have the value. Reading a BigInt64Array makes a bigint of each value. */
export function exactInt64s(values: BigInt64Array): (row: number) => number {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row) => {
    // Two words of each value.
    const high = words[2 * row + 1]!;
    return high >= -0x1f_ffff && high <= 0x1f_fffe ? high * TWO_32 + (words[2 * row]! >>> 0) : Number.NaN;
  };
}
