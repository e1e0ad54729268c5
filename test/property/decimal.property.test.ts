/** Decimals against arithmetic on the digits themselves. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesFromUnscaled,
  fitsPrecision,
  jsonFromUnscaled,
  unscaledFromBytes,
  unscaledFromJson,
  unscaledFromNumber,
  unscaledFromText,
} from "../../schemas/decimal.ts";
import { expectEqual } from "../oracle/expect-equal.ts";

const scale = fc.integer({ min: 0, max: 12 });
const MAX = 10n ** 38n;
const unscaled = fc.oneof(
  fc.bigInt({ min: -MAX, max: MAX }),
  fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
  fc.bigInt({ min: -100_000n, max: 100_000n }),
  fc.constantFrom(0n, 127n, 128n, -128n, -129n, 255n, 256n, 2n ** 63n, -(2n ** 63n)),
);

/** The digits of a number's shortest text, its exponent worked in: what ECMA-262's Number::toString denotes, exactly. */
function digitsOf(value: number): { digits: bigint; scale: number } {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) throw new Error(`${value} has no digits`);
  const fraction = match[3] ?? "";
  const exponent = Number(match[4] ?? 0);
  const digits = BigInt(`${match[1]}${match[2]}${fraction}`);
  const scale = fraction.length - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function expectedUnscaled(value: number, scale: number): bigint | undefined {
  const exact = digitsOf(value);
  if (exact.scale <= scale) return exact.digits * 10n ** BigInt(scale - exact.scale);
  const divisor = 10n ** BigInt(exact.scale - scale);
  return exact.digits % divisor === 0n ? exact.digits / divisor : undefined;
}

describe("decimals from JSON", () => {
  test("a number is the decimal of its shortest text at every scale that has its digits", () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.tuple(fc.maxSafeInteger(), scale).map(([n, s]) => n / 10 ** s),
      fc.tuple(fc.integer(), scale).map(([n, s]) => n / 10 ** s),
    );
    fc.assert(
      fc.property(numbers, scale, (value, s) => {
        const expected = expectedUnscaled(value, s);
        const got = unscaledFromNumber(value, s);
        expectEqual(unscaledFromJson(JSON.rawJSON(String(value)), s), expected);
        expectEqual(got, expected);
      }),
      { numRuns: 20_000 },
    );
  });

  test("what is no finite number is refused", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(unscaledFromNumber(value, 2)).toBeUndefined();
    expect(unscaledFromNumber(-0, 2)).toBe(0n);
    for (const text of ["1e999999999999", `${"9".repeat(200)}`, "1e-400"])
      expect(unscaledFromJson(JSON.rawJSON(text), 2)).toBeUndefined();
    expect(unscaledFromNumber(1e23, 0)).toBe(10n ** 23n);
    expect(unscaledFromJson(JSON.rawJSON("0e999999999999"), 2)).toBe(0n);
    expect(unscaledFromJson(JSON.rawJSON("12345678901234567890.120"), 2)).toBe(1_234_567_890_123_456_789_012n);
    expect(unscaledFromNumber(0.1 + 0.2, 2)).toBeUndefined();
  });

  test("the canonical JSON form reads back as the same decimal, at every scale", () => {
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 0, max: 38 }), (value, s) => {
        const json = jsonFromUnscaled(value, s);
        expectEqual(typeof json === "number" ? unscaledFromNumber(json, s) : unscaledFromText(json, s), value);
      }),
      { numRuns: 20_000 },
    );
  });

  test("a text has its digits up to the scale, and only zeros past it", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: MAX }),
        fc.boolean(),
        fc.stringMatching(/^\d{0,14}$/),
        scale,
        (whole, negative, fraction, s) => {
          const text = `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
          const past = fraction.slice(s);
          const digits = whole * 10n ** BigInt(s) + BigInt(fraction.slice(0, s).padEnd(s, "0") || "0");
          expectEqual(unscaledFromText(text, s), /[1-9]/.test(past) ? undefined : negative ? -digits : digits);
        },
      ),
    );
    for (const text of ["", "-", ".5", "5.", "1e3", "+1", " 1", "1 ", "0x1", "1,5", "--1", "NaN"])
      expect(unscaledFromText(text, 2)).toBeUndefined();
  });
});

describe("decimals in Avro", () => {
  test("bytes are the shortest two's complement and read back, sign extension included", () => {
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 0, max: 4 }), (value, extension) => {
        const bytes = bytesFromUnscaled(value);
        const bits = (value < 0n ? -value - 1n : value).toString(2).length + (value === 0n || value === -1n ? 0 : 1);
        expectEqual(bytes.byteLength, Math.max(1, Math.ceil(bits / 8)));
        expectEqual(unscaledFromBytes(Buffer.concat([Buffer.alloc(extension, value < 0n ? 0xff : 0), bytes])), value);
      }),
    );
    expect(unscaledFromBytes(new Uint8Array())).toBe(0n);
  });

  test("precision counts digits", () => {
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 1, max: 38 }), (value, precision) => {
        const digits = String(value < 0n ? -value : value).length;
        expectEqual(fitsPrecision(value, precision), value === 0n || digits <= precision);
      }),
    );
  });
});
