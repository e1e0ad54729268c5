/** A table of arguments for functions, and nasty values for its columns. */
import fc from "fast-check";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../lakehouse/engine/columns/value.ts";
import type { TableSchema } from "../../tools/build/models/compile-models.ts";

const utf8: ColumnType = { kind: "utf8" };
const int64: ColumnType = { kind: "int64" };
const timestamp: ColumnType = { kind: "timestamp" };
const date: ColumnType = { kind: "date" };

/**
 * `s` and `o` are texts, `o` short; `p` a LIKE pattern; `i` and `j` positions; `far` any integer; `t` and `u` moments, `day`
 * and `due` dates; `m` a count and `x` a double for intervals; `number`, `moment` and `word` texts to cast;
 * `json` texts.
 */
export const functionTable: TableSchema = {
  name: "f",
  partition: "d",
  fields: [
    field("d", date),
    ...["s", "o", "p"].map((name) => field(name, utf8)),
    ...["i", "j", "far"].map((name) => field(name, int64)),
    ...["t", "u"].map((name) => field(name, timestamp)),
    ...["day", "due"].map((name) => field(name, date)),
    ...["number", "moment", "word", "json"].map((name) => field(name, utf8)),
    field("m", { kind: "int32" }),
    field("x", { kind: "float64" }),
  ],
};

function field(name: string, type: ColumnType): Field {
  return { name, type, nullable: true };
}

/** Few letters, so that texts meet; of every length in UTF-8, spaces that are trimmed and some that are not. */
const letters = [
  "a",
  "b",
  "A",
  "é",
  "É",
  "🦆",
  "𝒳",
  "ß",
  "e\u0301",
  " ",
  "\u00a0",
  "\u3000",
  "\t",
  "\u200b",
  ",",
  "\uffff",
];
const signs = ["%", "_", "!", "\\", "\0"];
const positions = fc.bigInt({ min: -9n, max: 9n });

function joined(parts: readonly string[], maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...parts), { maxLength }).map((chosen) => chosen.join(""));
}

const MICROS_PER_DAY = 86_400_000_000n;

/** Days at the ends of months, leap days, both sides of the epoch and of weeks; and the infinite ones. */
const days = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc
    .tuple(
      fc.constantFrom(1600, 1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100),
      fc.nat(11),
      fc.integer({ min: -2, max: 1 }),
    )
    .map(([year, month, step]) => Date.UTC(year, month, 1) / 86_400_000 + step),
  fc.integer({ min: -130_000, max: 150_000 }),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31) + 1),
);
const clocks = fc.oneof(
  fc.constantFrom(0n, 1n, MICROS_PER_DAY - 1n, 3_600_000_000n, 43_200_000_000n, 999n),
  fc.bigInt({ min: 0n, max: MICROS_PER_DAY - 1n }),
);
const moments = fc
  .tuple(days, clocks)
  .map(([day, clock]) =>
    Math.abs(day) > 2e9 ? (day > 0 ? 2n ** 63n - 1n : -(2n ** 63n) + 1n) : BigInt(day) * MICROS_PER_DAY + clock,
  );

/** Notations of numbers, nearly right ones, and mixtures of their parts. */
const digits = joined(["0", "1", "4", "5", "9", "00", "12", "_"], 5);
const spaces = fc.constantFrom("", "", "", " ", "\t ", "\u00a0");
const numbers = fc.oneof(
  fc
    .tuple(
      spaces,
      fc.constantFrom("", "-", "+", "--"),
      digits,
      fc.constantFrom("", ".", ".."),
      digits,
      fc.constantFrom("", "", "e", "E-", "e+"),
      joined(["0", "1", "2", "5", "_", "."], 2),
      spaces,
    )
    .map((parts) => parts.join("")),
  fc
    .tuple(fc.constantFrom("0x", "0X", "0b", "0B", "-0x"), joined(["0", "1", "f", "A", "_", " "], 8))
    .map((parts) => parts.join("")),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double().map(String),
  fc.constantFrom(
    "",
    " ",
    "-",
    "- ",
    "inf",
    "-Infinity",
    "NaN",
    "+nan",
    "nan(a_1)",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775807",
    "-9223372036854775808",
    "2147483647.5",
    "-2147483648.4",
    "1e18",
    "999999999.995",
    "0.5",
    "-0.5",
    "1.5",
    "2.5",
    "5e-9",
    "1e32768",
    "\ufeff1",
    "１",
    "1\0",
    "12345678.905",
    "-0.005",
    "+-1",
    "++1",
    "-+1",
  ),
);

const moment = fc
  .tuple(
    spaces,
    fc.constantFrom("2024", "1969", "0", "0001", "-44", "12024", "294247", "290309", "5881580", "99"),
    fc.constantFrom("-", "/", " ", "\\", "."),
    fc.constantFrom("1", "01", "02", "12", "13", "001"),
    fc.constantFrom("-", "-", "/", " ", "\\"),
    fc.constantFrom("1", "09", "29", "30", "31", "32", "0"),
    fc.constantFrom("", "", "", " (BC)", " (bC)", "(BC)"),
    fc.constantFrom("", " ", "T", "T ", "t", "  ", "x"),
    fc.constantFrom(
      "",
      "10:00",
      "9:5:07",
      "23:59:59.999999",
      "24:00:00",
      "24:00:01",
      "10:60:00",
      "10:00:00.1234567",
      "1:02:03.",
      "000000010:00:00",
      "10:",
      "10",
    ),
    fc.constantFrom(
      "",
      "",
      "Z",
      "z",
      "+02",
      "-02:30",
      "+0230",
      "+02:30:15",
      "+02:",
      "+2",
      "+99",
      "+02:3",
      " UTC",
      " utc ",
      "UTC",
      " +02",
      " nowhere",
      " Z",
      "+02:30:",
    ),
    spaces,
  )
  .map(([before, year, first, month, second, day, era, middle, clock, zone, after]) =>
    // One separator for both, mostly: else little is a date.
    [before, year, first, month, second === "-" ? first : second, day, era, middle, clock, zone, after].join(""),
  );
const momentTexts = fc.oneof(
  moment,
  moments
    .filter((micros) => micros > -(2n ** 62n) && micros < 2n ** 62n)
    .map((micros) => new Date(Number(micros / 1000n)).toISOString()),
  fc.constantFrom(
    "",
    "infinity",
    "-infinity",
    " Inf ",
    "epoch",
    "EPOCH ",
    "-epoch",
    "infinity x",
    "2024-01-01",
    "2024-1-1 10:00:00+00",
  ),
);

/** JSON as `_extra` has it and as others write it: spaces, escapes, numbers of any notation, repeated names. */
const gaps = fc.constantFrom("", " ", "\n\t");
const jsonScalars = fc.oneof(
  fc.constantFrom("0", "-0", "1.0", "1e2", "-0.0", "1E-7", "123456789012345678901234567890", "1e400", "1e20", "1E+21"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value).replace("+", "")),
  fc.constantFrom(
    "true",
    "false",
    "null",
    '"null"',
    '"x"',
    '"\\u00e9\\n\\"\\\\"',
    '"\\ud83e\\udd86\\/"',
    '"\\u0001\\u001f"',
    '"🦆"',
    '""',
  ),
);
const json = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, jsonScalars, tie("object"), tie("list")),
  object: fc
    .tuple(gaps, fc.array(fc.tuple(fc.constantFrom("a", "b", "", "a.b", "é"), gaps, tie("value")), { maxLength: 4 }))
    .map(
      ([gap, members]) =>
        `{${gap}${members.map(([name, space, value]) => `"${name}"${space}:${value}`).join(`,${gap}`)}}`,
    ),
  list: fc
    .tuple(gaps, fc.array(tie("value"), { maxLength: 4 }))
    .map(([gap, items]) => `[${items.join(`${gap},`)}${gap}]`),
}));

export const functionValues: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  s: fc.oneof(joined([...letters, ...signs], 10), joined(["a", "b", ","], 12)),
  o: fc.oneof(joined(letters, 2), joined(["a", "b", ","], 3)),
  p: fc.oneof(joined(["a", "b", "é", "🦆", "%", "_", "!", ...signs], 8), joined(["a", "%", "_"], 8)),
  i: positions,
  j: positions,
  t: moments,
  u: moments,
  day: days,
  due: days,
  number: numbers,
  json: json.object,
  moment: momentTexts,
  word: fc.constantFrom(
    "true",
    "T",
    "yes",
    "Y",
    "1",
    "false",
    "F",
    "no",
    "N",
    "0",
    "on",
    "",
    " true",
    "TRUE",
    "01",
    "tr",
    "ＴRUE",
  ),
  m: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -3000, max: 3000 })),
  x: fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constantFrom(0, -0, 0.5, 1.5, -1.5, 1.0000005)),
  far: fc.oneof(
    positions,
    fc.constantFrom(2n ** 32n, 2n ** 32n - 1n, -(2n ** 32n), -(2n ** 32n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
  ),
};
