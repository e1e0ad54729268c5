/** Steps over UTF-8, which is valid in every column (the gateway refuses anything else). */

/** The bytes of the code point that begins with `lead`. */
export function codePointSize(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** The code point whose UTF-8 form begins at `at`. */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const tail = (offset: number) => bytes[at + offset]! & 0x3f;
  switch (codePointSize(lead)) {
    case 1:
      return lead;
    case 2:
      return ((lead & 0x1f) << 6) | tail(1);
    case 3:
      return ((lead & 0x0f) << 12) | (tail(1) << 6) | tail(2);
    default:
      return ((lead & 0x07) << 18) | (tail(1) << 12) | (tail(2) << 6) | tail(3);
  }
}

/** How many code points `bytes[from, to)` has: every byte but a continuation byte (10xxxxxx) begins one. */
export function countCodePoints(bytes: Uint8Array, from: number, to: number): number {
  let points = 0;
  for (let at = from; at < to; at++) if ((bytes[at]! & 0xc0) !== 0x80) points++;
  return points;
}

/** The place `points` code points behind `from`, at most `to`. */
export function skipCodePoints(bytes: Uint8Array, from: number, to: number, points: number): number {
  let at = from;
  for (let left = points; left > 0 && at < to; left--) at += codePointSize(bytes[at]!);
  return at;
}

/** The beginning of the code point that ends before `to`, which is behind `from`. */
export function previousCodePoint(bytes: Uint8Array, from: number, to: number): number {
  let at = to - 1;
  while (at > from && (bytes[at]! & 0xc0) === 0x80) at--;
  return at;
}
