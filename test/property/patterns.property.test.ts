/**
 * Patterns answer as the engines whose dialects they are: ECMA-262's as the runtime's own RegExp does, RE2's as RE2 itself
 * does (in DuckDB), for random patterns and texts made of the same few characters.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePattern, patternProblem } from "../../contracts/patterns/pattern.ts";
import { longOrShare } from "../long-share.ts";
import { expectEqual } from "../oracle/expect-equal.ts";

const character = fc.constantFrom(
  "a",
  "b",
  "Z",
  "0",
  "-",
  "_",
  " ",
  "\n",
  "\r",
  "é",
  "ſ",
  "😀",
  "\u2028",
  ".",
  "]",
  "{",
);

const atoms = {
  ecma: [
    "a",
    "b",
    "Z",
    "0",
    "é",
    "😀",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    ".",
    "[a-z]",
    "[^a-z0]",
    "[\\w.-]",
    "[\\]a]",
  ],
  re2: [
    "a",
    "b",
    "Z",
    "0",
    "é",
    "😀",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    ".",
    "[a-z]",
    "[^a-z0]",
    "[\\w.-]",
    "[]a]",
  ],
};
const more = {
  ecma: [
    "\\b",
    "\\B",
    "^",
    "$",
    "\\-",
    "]",
    "{",
    "\\u00e9",
    "\\x61",
    "\\p{Lu}",
    "[^]",
    "(?i:[a-z])",
    "(?s:.)",
    "[\\d-a]",
  ],
  re2: [
    "\\b",
    "\\B",
    "^",
    "$",
    "\\A",
    "\\z",
    "\\-",
    "]",
    "\\x{e9}",
    "\\pL",
    "[[:alpha:]]",
    "[^[:^digit:]_]",
    "(?i)z",
    "(?s).",
    "\\Q.]\\E",
    "(?i:s)",
  ],
};

function arbitraryPattern(dialect: "ecma" | "re2"): fc.Arbitrary<string> {
  const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
    part: fc.oneof(
      { depthSize: "small" },
      { weight: 5, arbitrary: fc.constantFrom(...atoms[dialect]) },
      { weight: 2, arbitrary: fc.constantFrom(...more[dialect]) },
      { weight: 2, arbitrary: tie("pattern").map((inner) => `(${inner})`) },
      { weight: 1, arbitrary: tie("pattern").map((inner) => `(?:${inner})`) },
      {
        weight: 3,
        arbitrary: fc
          .tuple(
            fc.oneof(
              fc.constantFrom(...atoms[dialect]),
              tie("pattern").map((inner) => `(${inner})`),
            ),
            fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?"),
          )
          .map(([part, times]) => part + times),
      },
    ),
    pattern: fc.oneof(
      { depthSize: "small" },
      { weight: 5, arbitrary: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")) },
      { weight: 1, arbitrary: fc.tuple(tie("part"), tie("pattern")).map((sides) => sides.join("|")) },
    ),
  }));
  return pattern;
}

const texts = fc.array(
  fc.array(character, { maxLength: 8 }).map((chars) => chars.join("")),
  { minLength: 8, maxLength: 8 },
);

const TIMEOUT = longOrShare(900_000, 120_000);

test(
  "ECMA-262: as the runtime's RegExp with the flag u",
  () => {
    const lookahead = fc
      .tuple(fc.constantFrom("(?=", "(?!"), arbitraryPattern("ecma"))
      .map(([open, body]) => `${open}${body})`);
    const patterns = fc.oneof(
      { weight: 5, arbitrary: arbitraryPattern("ecma") },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.array(lookahead, { minLength: 1, maxLength: 2 }), arbitraryPattern("ecma"))
          .map(([ahead, rest]) => `^${ahead.join("")}(?:${rest})`),
      },
    );
    let judged = 0;
    fc.assert(
      fc.property(patterns, texts, (text, values) => {
        if (patternProblem(text, "ecma") !== undefined) return;
        const pattern = compilePattern(text, "ecma");
        const expression = new RegExp(pattern.source, "u");
        judged++;
        for (const value of values) {
          // V8 lets the flag of one group reach \w outside of it: /(?i:x)|\w/u takes the long s, which /\w/u does not.
          if (text.includes("(?i:") && value.includes("ſ")) continue;
          // V8 finds a \B between the two halves of one character.
          if (text.includes("\\B") && value.includes("😀")) continue;
          expectEqual([text, value, pattern.test(value)], [text, value, expression.test(value)]);
        }
      }),
      { numRuns: longOrShare(10_000, 500) },
    );
    expect(judged).toBeGreaterThan(300);
  },
  TIMEOUT,
);

test(
  "what the translation changes is what the flag u forbids, and no meaning",
  () => {
    fc.assert(
      fc.property(arbitraryPattern("ecma"), texts, (text, values) => {
        if (patternProblem(text, "ecma") !== undefined || /\\p|\\u\{|😀|\(\?[is]/.test(text)) return;
        const { source } = compilePattern(text, "ecma");
        const plain = new RegExp(text);
        const translated = new RegExp(source, "u");
        for (const value of values) {
          // Characters outside of the basic plane are one character only with the flag.
          if (value.includes("😀")) continue;
          expectEqual([text, source, value, translated.test(value)], [text, source, value, plain.test(value)]);
        }
      }),
      { numRuns: longOrShare(5_000, 400) },
    );
  },
  TIMEOUT,
);

test(
  "RE2: as DuckDB's regexp_matches",
  async () => {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const cases = fc
      .sample(fc.tuple(arbitraryPattern("re2"), texts), longOrShare(2_000, 250))
      .filter(([text]) => patternProblem(text, "re2") === undefined);
    expect(cases.length).toBeGreaterThan(150);
    for (const [text, values] of cases) {
      const pattern = compilePattern(text, "re2");
      const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;
      const columns = values.map((value) => `regexp_matches(${quoted(value)}, ${quoted(text)})`);
      const rows = await connection.runAndReadAll(`SELECT ${columns.join(", ")}`);
      const answers = rows.getRows()[0] ?? [];
      for (const [at, value] of values.entries())
        expectEqual(JSON.stringify([text, value, pattern.test(value)]), JSON.stringify([text, value, answers[at]]));
    }
    connection.closeSync();
  },
  TIMEOUT,
);
