/** Any character: the unit of texts in properties. */
import fc from "fast-check";

const SURROGATES = 0xd800;
const SURROGATE_COUNT = 0x800;

/**
 * The values of `unit: "binary"` in the same order, so that a seed gives the same texts. That one lists a million characters before its
 * first text, which takes each process seconds.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(0x10ffff - SURROGATE_COUNT)
  .map((n) => String.fromCodePoint(n < SURROGATES ? n : n + SURROGATE_COUNT), numberOf);

/** fast-check asks with texts of its own, and takes an error for a no. */
function numberOf(text: unknown): number {
  const code = typeof text === "string" ? text.codePointAt(0) : undefined;
  if (code === undefined || text !== String.fromCodePoint(code)) throw new TypeError("not one character");
  if (code < SURROGATES) return code;
  if (code < SURROGATES + SURROGATE_COUNT) throw new TypeError("half of a character");
  return code - SURROGATE_COUNT;
}
