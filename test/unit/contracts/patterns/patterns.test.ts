/** Which patterns a contract may have, what is written instead of the others, and that no text makes one slow. */
import { describe, expect, test } from "vitest";
import { exampleText } from "../../../../contracts/patterns/example-text.ts";
import { compilePattern, patternProblem } from "../../../../contracts/patterns/pattern.ts";

describe("ECMA-262, translated to what needs the flag u", () => {
  test.each([
    ["^\\d{3}\\-\\d{4}$", "^\\d{3}-\\d{4}$", "555-0199", "5550199"],
    ["^\\#\\d+\\!$", "^#\\d+!$", "#7!", "7!"],
    ["^[\\w-.]+$", "^[\\w\\-.]+$", "a-b.c", "a b"],
    ["^[\\w-\\d]+$", "^[\\w\\-\\d]+$", "a-1", "a 1"],
    ["^[+-\\d]+$", "^[+\\-\\d]+$", "+1-", "1,"],
    ["^[.\\-\\@]+$", "^[.\\-@]+$", ".-@", "a"],
    ["^{[a-z]+}$", "^\\{[a-z]+\\}$", "{abc}", "abc"],
    ["^a]$", "^a\\]$", "a]", "a"],
    ["^\\/[^/]+\\/$", "^\\/[^/]+\\/$", "/x/", "//"],
    ["^(?<year>\\d{4})$", "^(?<year>\\d{4})$", "2026", "26"],
    ["^\\u0061\\x62\\cJ$", "^\\u0061\\x62\\cJ$", "ab\n", "ab"],
    ["^\\p{Lu}\\p{Script=Greek}$", "^\\p{Lu}\\p{Script=Greek}$", "Åβ", "åb"],
    ["^.$", "^.$", "😀", "ab"],
    ["^(?=.*\\d)(?=.*[a-z])(?!.*\\s).{8,}$", "^(?=.*\\d)(?=.*[a-z])(?!.*\\s).{8,}$", "passw0rd", "pass w0rd"],
    ["^(?i:sek|eur)$", "^(?i:sek|eur)$", "Sek", "usd"],
    ["colou?r", "colou?r", "two colors", "colr"],
  ])("%s", (text, source, good, bad) => {
    expect(patternProblem(text, "ecma")).toBeUndefined();
    const pattern = compilePattern(text, "ecma");
    expect(pattern.source).toBe(source);
    expect([pattern.test(good), pattern.test(bad)]).toEqual([true, false]);
    const expression = new RegExp(pattern.source, "u");
    expect([expression.test(good), expression.test(bad)]).toEqual([true, false]);
  });
});

describe("refused, with what to write", () => {
  test.each([
    ["(unclosed", "\\("],
    ["closed)", "\\)"],
    ["[a-z", "\\["],
    ["a\\", "\\\\"],
    ["+1", "\\+"],
    ["a{,5}", "{0,5}"],
    ["a{5,2}", "wrong way round"],
    ["{2}", "\\{"],
    ["a**", "group"],
    ["a++b", "possessive"],
    ["^*", "no characters"],
    ["[z-a]", "ends before it begins"],
    ["(\\w)\\1", "linear time"],
    ["(?<x>a)\\k<x>", "linear time"],
    ["a(?=b)", "right behind ^"],
    ["(?<!a)b", "record rule"],
    ["^(?=a)b|c", "group"],
    ["(?>a+)b", "(?"],
    ["(?i)abc", "(?i:...)"],
    ["(?m:^a$)", "only i and s"],
    ["(?P<year>\\d{4})", "(?"],
    ["\\Aabc\\Z", "^"],
    ["abc\\z", "$"],
    ["\\Q.\\E", "backslash"],
    ["[[:digit:]]", "a-z"],
    ["\\07", "\\x"],
    ["\\xg", "hexadecimal"],
    ["\\u12", "hexadecimal"],
    ["\\u{110000}", "no character"],
    ["\\p{Greek}", "Greek"],
    ["\\pL", "braces"],
    ["(?i:é)", "both cases"],
    ["^.{0,9999}$", "maxLength"],
    ["(x{1000}){1000}", "maxLength"],
    ["x.{40}y", "begin it with ^"],
    ["(a|b)*a(a|b){30}", "repeat less"],
    ["a^b", "no text matches it"],
    ["$.", "no text matches it"],
    ["^[]$", "no text matches it"],
  ])("%s", (text, remedy) => {
    expect(patternProblem(text, "ecma")).toContain(remedy);
  });
});

describe("RE2", () => {
  test.each([
    ["\\Aab\\z", "ab", "abc"],
    ["(?i)^abc$", "aBC", "abd"],
    ["^[[:alpha:]]+$", "abc", "ab1"],
    ["^\\Qa.b\\E$", "a.b", "axb"],
    ["(?P<y>\\d)", "5", "x"],
    ["^\\pN\\PN$", "5x", "x5"],
    ["^\\s$", "\t", "\u00a0"],
    ["^.$", "\r", "\n"],
    ["(?s)^.$", "\n", "ab"],
    ["^\\x{e9}\\101$", "éA", "eA"],
  ])("%s", (text, good, bad) => {
    expect(patternProblem(text, "re2")).toBeUndefined();
    const pattern = compilePattern(text, "re2");
    expect([pattern.test(good), pattern.test(bad)]).toEqual([true, false]);
  });
  test.each(["(?=a)b", "(a)\\1", "a{1001}", "[a-\\d]", "\\C", "\\Z", "(?m)^a$", "a++", "[[:foo:]]", "é\\é", "(?<=a)b"])(
    "refused: %s",
    (text) => {
      expect(patternProblem(text, "re2")).toBeDefined();
    },
  );
});

describe("a text that matches", () => {
  test.each([
    ["^ord_[0-9a-z]{6,32}$", "ord_aaaaaa"],
    ["^[A-Z]{2}-[0-9]{3}$", "AA-000"],
    ["^/", "/"],
    ["^(?:https?|ftp)://\\w+\\.example\\.[a-z]{2,}$", "ftp://a.example.aa"],
    ["^[^@\\s]{1,64}@[A-Za-z0-9.-]{1,189}$", "a@a"],
    ["^(a|b)+c?d*\\d{4}$", "a0000"],
    ["^\\+[1-9]\\d{6,14}$", "+1000000"],
    ["^(?=.*\\d)(?=.*[A-Z])(?!a).{6}$", undefined],
    ["\\bx\\b", "x"],
    ["^\\p{Script=Greek}$", undefined],
  ])("%s", (pattern, expected) => {
    const text = exampleText(pattern, { minLength: 0, maxLength: 100 });
    expect(text).toMatch(new RegExp(pattern, "u"));
    if (expected !== undefined) expect(text).toBe(expected);
  });

  test("it grows to the least length, and there may be none", () => {
    expect(exampleText("^a+$", { minLength: 20, maxLength: 30 })).toBe("a".repeat(20));
    expect(exampleText("^a{3}$", { minLength: 4, maxLength: 9 })).toBeUndefined();
    expect(exampleText("^(?=x)(?!x)", { minLength: 0, maxLength: 9 })).toBeUndefined();
  });
});

// Each takes a backtracking engine at least the square of the text's length, most of them two to its power.
const ADVERSARIES: readonly (readonly [pattern: string, text: string])[] = [
  ["^(a+)+$", `${"a".repeat(1_000_000)}!`],
  ["^(a|a)*$", `${"a".repeat(1_000_000)}!`],
  ["^(a|aa)+$", `${"a".repeat(1_000_000)}!`],
  ["^([a-z0-9]+)*@$", "a1".repeat(500_000)],
  ["^\\S+@\\S+\\.\\S+$", `${"@.".repeat(500_000)} `],
  ["(x+x+)+y", "x".repeat(1_000_000)],
  ["\\s+$", `${" ".repeat(1_000_000)}.`],
  ["^(.*,){11}P", "1,".repeat(500_000)],
  ["(\\w+\\s?)+:", "word ".repeat(200_000)],
  ["[^@]+@[^@]+", "a".repeat(1_000_000)],
];

test.each(ADVERSARIES)("linear: %s", (text, value) => {
  expect(patternProblem(text, "ecma")).toBeUndefined();
  const pattern = compilePattern(text, "ecma");
  const start = process.cpuUsage();
  expect(pattern.test(value)).toBe(false);
  const { user } = process.cpuUsage(start);
  // A million characters take 10 ms; the budget is for a machine that others use.
  expect(user / 1e6).toBeLessThan(1);
});
