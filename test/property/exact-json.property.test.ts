/** Numbers that a double would alter, sought in bodies: against the decimals that their digits denote, in whole numbers of any size. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonBatches } from "../../gateway/bodies/json.ts";
import { ndjsonBatches } from "../../gateway/bodies/ndjson.ts";
import { isRawNumber } from "../../schemas/exact-json.ts";
import { inChunks, readAll, utf8 } from "../oracle/event-batches.ts";

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const zeros = fc.nat({ max: 330 }).map((count) => "0".repeat(count));
const whole = fc.oneof(
  fc.constant("0"),
  digits(18).map((text) => text.replace(/^0+(?=.)/, "")),
  fc.tuple(fc.constantFrom("1", "9007199254740993"), zeros).map((parts) => parts.join("")),
);
const fraction = fc.oneof(
  fc.constantFrom("", ".0"),
  fc.tuple(fc.oneof(fc.constant(""), zeros), digits(18)).map((parts) => `.${parts.join("")}`),
);
const exponent = fc.oneof(
  fc.constant(""),
  fc
    .tuple(
      fc.constantFrom("e", "E"),
      fc.constantFrom("", "+", "-"),
      fc.constantFrom("", "0", "00000000000000"),
      // What lies at the ends of a double's range, and what lies far outside.
      fc.oneof(fc.integer({ min: 290, max: 345 }), fc.nat({ max: 99 }), fc.nat({ max: 99_999 })),
    )
    .map((parts) => parts.join("")),
);
const numbers = fc.tuple(fc.constantFrom("", "-"), whole, fraction, exponent).map((parts) => parts.join(""));

/** What may stand around a number, none of it another number. */
const surroundings = fc.constantFrom(
  ["", ""],
  [" ", "\t"],
  ["[", "]"],
  ['{"a":', "}"],
  ['{"id":"4e123-1e999-0000","a":[{"b":', " }]}"],
  ['{"__proto__":{"a":', '},"b":"é"}'],
  ["[".repeat(150), "]".repeat(150)],
);

const documents = fc.array(fc.tuple(surroundings, numbers), { minLength: 1, maxLength: 4 });

/** The decimal of a number's text: digits without zeros at their end, and the power of ten of the last one. */
function decimalOf(text: string): string {
  const [, sign = "", integral = "", fractional = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  let value = BigInt(integral + fractional);
  if (value === 0n) return "0";
  let exponent = BigInt(power.replace("+", "")) - BigInt(fractional.length);
  for (; value % 10n === 0n; value /= 10n) exponent++;
  return `${sign}${value}e${exponent}`;
}

/** The decimals of all numbers of a value. */
function decimalsIn(value: unknown): string[] {
  if (isRawNumber(value)) return [decimalOf(value.rawJSON)];
  if (typeof value === "number") return [Number.isFinite(value) ? decimalOf(String(value)) : String(value)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(decimalsIn) : [];
}

describe("a number of a body", () => {
  it("is the decimal that was sent, wherever it stands", async () => {
    await fc.assert(
      fc.asyncProperty(documents, async (parts) => {
        const texts = parts.map(([[before = "", after = ""], number]) => before + number + after);
        const expected = parts.map(([, number]) => [decimalOf(number)]);
        for (const sizes of [undefined, { pieceBytes: 1, groupBytes: 1 }]) {
          const read = await readAll(jsonBatches(utf8(`[${texts.join(",")}]`), sizes));
          expect(read.map(({ event }) => decimalsIn(event))).toEqual(expected);
        }
        const lines = await readAll(ndjsonBatches(inChunks(utf8(texts.join("\n")), [])));
        expect(lines.map(({ event }) => decimalsIn(event))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});
