/** Changes to the text of JSON documents, most of which leave it JSON: what is odd about a spelling, a key or a value. */
import fc from "fast-check";

const spaces = ["", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\f"];
const numbers = [
  ...[
    "-0",
    "0",
    "0.0",
    "-0.0",
    "00",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1.0",
    "1e2",
    "1E+2",
    "0.1e1",
    "1e999",
    "-1",
    "63",
    "64",
  ],
  ...[
    "100.10",
    "1.005",
    "0.000",
    "1e-7",
    "5e-324",
    "0.30000000000000004",
    "0.1234567890123456789",
    "123456789012345.6",
  ],
  ...["2147483648", "-2147483649", "9007199254740990", "9007199254740993", "-4503599627370497", "12345678901234567890"],
  ...[
    "999999999999999",
    "1000000000000000",
    "99999999999.99",
    "12345678901234567890.5",
    "0.00000000000000000001",
    "NaN",
  ],
];
const texts = [
  ...[
    '""',
    '"a"',
    '"\\n"',
    '"\\u0041"',
    '"\\u0000"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\\x"',
    '"é"',
    '"大阪\u{1f600}"',
    '"\u0001"',
  ],
  ...[
    '"\u007f"',
    '"\u00ff\u0800\uffff"',
    `"${"a".repeat(62)}"`,
    `"${"b".repeat(63)}"`,
    `"${"c".repeat(64)}"`,
    `"${"é".repeat(64)}"`,
  ],
  ...[
    `"${"d".repeat(300)}"`,
    '"2026-02-29T00:00:00.000Z"',
    '"2026-11-21T00:00:00.000000Z"',
    '"2026-11-21T00:00:00.123456Z"',
  ],
  ...[
    '"2026-11-21T00:00:00Z"',
    '"2026-11-21T24:00:00.000Z"',
    '"2026-11-20T23:59:59.999z"',
    '"2026-11-2１T00:00:00.000Z"',
    '"1e5"',
  ],
  ...[
    '"2026-02-30"',
    '"2024-02-29"',
    '"0000-01-01"',
    '"2026-1-01"',
    '"2026-11-21 00:00:00.000Z"',
    '"1.50"',
    '"true"',
    "'a'",
    '"',
  ],
];
const others = [
  "null",
  "true",
  "false",
  "{}",
  "[]",
  "[null]",
  '{"a":1}',
  "nul",
  "True",
  "[[[[]]]]",
  ",",
  "{",
  "}",
  "[",
  "]",
  ":",
];

const TOKEN = /"(?:[^"\\]|\\.)*"|[-+\w.]+|[{}[\],:]|./gsu;

/** One change of a document's tokens. */
const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom("space", "value", "drop", "repeat", "swap", "case"),
  pick: fc.nat(),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(tokens: readonly string[], { at, how, pick }: Change): string[] {
  const position = at % Math.max(1, tokens.length);
  const token = tokens[position] ?? "";
  const choose = (from: readonly string[]): string => from[pick % from.length] ?? "";
  const put = (...instead: string[]): string[] => tokens.toSpliced(position, 1, ...instead);
  switch (how) {
    case "space":
      return put(choose(spaces), token);
    case "value":
      if (/^[-\d]/.test(token)) return put(choose(pick % 4 === 0 ? others : numbers));
      return put(choose(token.startsWith('"') && pick % 4 !== 0 ? texts : others));
    case "drop":
      return put();
    case "case":
      return put(
        token.startsWith('"') ? token.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`) : token,
      );
    case "repeat":
    case "swap": {
      // Members, as far as commas tell: a key once more, or in another place.
      const comma = tokens.indexOf(",", position);
      const next = tokens.indexOf(",", comma + 1);
      if (comma < 0 || next < 0) return [...tokens];
      const member = tokens.slice(comma, next);
      const others = how === "repeat" ? [...tokens] : tokens.toSpliced(comma, next - comma);
      const target = others.indexOf(",", pick % others.length);
      return others.toSpliced(target < 0 ? comma : target, 0, ...member);
    }
  }
}

/** A JSON text with up to `most` changes. */
export function changedText(text: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.array(change, { maxLength: most }))
    .map(([json, changes]) => changes.reduce(changed, json.match(TOKEN) ?? []).join(""));
}
