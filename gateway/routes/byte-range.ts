/** One range of bytes, as the header `Range` has it (RFC 9110, 14.1.2): `bytes=0-99`, `bytes=100-` or `bytes=-100`. */
import { ProblemError } from "../problem.ts";

export type ByteRange =
  | { readonly offset: number; readonly length?: number; readonly suffix?: undefined }
  | { readonly suffix: number; readonly offset?: undefined };

export const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/** Undefined: the whole. Throws the problem RANGE_NOT_SATISFIABLE for one that has no byte of an object of `size`. */
export function rangeOf(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [, first, last, suffix] = RANGE.exec(header) ?? [];
  if (suffix !== undefined && Number(suffix) > 0) return { suffix: Number(suffix) };
  const offset = Number(first ?? size);
  const end = last === undefined ? size : Number(last) + 1;
  if (offset >= Math.min(size, end))
    throw new ProblemError("RANGE_NOT_SATISFIABLE", `the object has ${size} bytes, and the range none of them`);
  return last === undefined ? { offset } : { offset, length: end - offset };
}

/** Bytes [from, to) that come for a range. */
export function bytesOf(range: ByteRange | undefined, size: number): { readonly from: number; readonly to: number } {
  if (range === undefined) return { from: 0, to: size };
  if (range.suffix !== undefined) return { from: Math.max(0, size - range.suffix), to: size };
  return { from: range.offset, to: Math.min(size, range.offset + (range.length ?? size)) };
}
