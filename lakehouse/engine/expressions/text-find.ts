/** Finds byte strings in byte strings, in time linear in both (Knuth, Morris and Pratt 1977), whatever stands in them. */

/** The first place of `needle` in `haystack[from, to)`, or -1. An empty needle is found at `from`. */
export type Finder = (haystack: Uint8Array, from: number, to: number, needle: Uint8Array) => number;

/** A finder that keeps the table of its last needle: a constant needle is prepared once a batch. */
export function createFinder(): Finder {
  let prepared = new Uint8Array(0);
  let failures = new Int32Array(0);
  return (haystack, from, to, needle) => {
    const size = needle.length;
    if (size === 0) return from;
    if (to - from < size) return -1;
    if (!sameBytes(prepared, needle)) {
      prepared = needle.slice();
      failures = failureTable(prepared);
    }
    const first = prepared[0]!;
    let matched = 0;
    for (let at = from; at < to; at++) {
      const byte = haystack[at]!;
      if (matched === 0) {
        if (byte !== first) continue;
      } else {
        while (matched > 0 && byte !== prepared[matched]) matched = failures[matched - 1]!;
        if (byte !== prepared[matched]) continue;
      }
      matched++;
      if (matched === size) return at - size + 1;
    }
    return -1;
  };
}

/** For each prefix of the needle the length of its longest proper prefix that ends it too. */
function failureTable(needle: Uint8Array): Int32Array<ArrayBuffer> {
  const table = new Int32Array(needle.length);
  let length = 0;
  for (let at = 1; at < needle.length; at++) {
    while (length > 0 && needle[at] !== needle[length]) length = table[length - 1]!;
    if (needle[at] === needle[length]) length++;
    table[at] = length;
  }
  return table;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
