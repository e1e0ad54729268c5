/** Sets of whole numbers as ranges, both ends included. */
export type NumberRange = readonly [first: number, last: number];

/** The same numbers as few ranges, in ascending order. */
export function mergeRanges(ranges: readonly NumberRange[]): NumberRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** How many numbers of merged ranges lie in `(after, until]`. */
export function countWithin(ranges: readonly NumberRange[], after: number, until: number): number {
  let count = 0;
  for (const [first, last] of ranges) count += Math.max(0, Math.min(last, until) - Math.max(first, after + 1) + 1);
  return count;
}
