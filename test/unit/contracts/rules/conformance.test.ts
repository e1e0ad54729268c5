/**
 * What expressions mean, case by case: values from the language's definition (github.com/google/cel-spec, doc/langdef.md) and its
 * conformance tests (tests/simple/testdata: basic, comparisons, integer_math, fp_math, logic, macros, string, timestamps).
 */
import { describe, expect, test } from "vitest";
import type { FieldRule } from "../../../../contracts/contract.ts";
import { compileRule } from "../../../../contracts/rules/evaluate.ts";
import { checkRule } from "../../../../tools/build/contracts/rules/check-rule.ts";

const fields: readonly FieldRule[] = [
  { name: "i", kind: "integer", required: true },
  { name: "j", kind: "integer", required: true },
  { name: "zero", kind: "integer", required: true },
  { name: "d", kind: "number", required: true },
  { name: "money", kind: "number", required: true },
  { name: "s", kind: "string", required: true },
  { name: "at", kind: "timestamp", required: true },
  { name: "until", kind: "timestamp", required: true },
  { name: "day", kind: "date", required: true },
  { name: "ints", kind: "array", required: true, item: { name: "item", kind: "integer", required: true } },
  { name: "times", kind: "array", required: true, item: { name: "item", kind: "timestamp", required: true } },
  { name: "many", kind: "array", required: true, item: { name: "item", kind: "integer", required: true } },
];

const event = {
  i: 7,
  j: JSON.rawJSON("9223372036854775807"),
  zero: 0,
  d: 2.5,
  money: "12.30",
  s: "naïve😀",
  at: "2026-02-28T23:59:59.123456Z",
  until: "2026-03-01T02:00:00.123457+01:00",
  day: "2024-02-29",
  ints: [3, 1, 2],
  times: ["2026-01-01T00:00:00Z"],
  many: Array.from({ length: 200 }, (_, at) => at),
};

/** true, false, or why not. */
function outcome(expression: string): boolean | string {
  const result = compileRule(checkRule(expression, fields))(event);
  return typeof result === "boolean" ? result : result.reason;
}

describe("true", () => {
  test.each([
    // Integers: 64 bits, division towards zero, the remainder with the sign of the dividend.
    "event.i / 2 == 3 && -event.i / 2 == -3 && event.i % 4 == 3 && -event.i % 4 == -3 && event.i % -4 == 3",
    "event.i * event.i - event.i == 42 && -(-event.i) == event.i",
    "event.j - 1 == 9223372036854775806 && event.j > 9223372036854775806 && event.j != event.j - 1",
    "event.j / event.i == 1317624576693539401 && event.j % 10 == 7",
    "event.zero - 9007199254740993 == -9007199254740993 && (event.zero + 9007199254740993) - 9007199254740992 == 1",
    "3037000499 * 3037000499 < event.j && event.zero * -5 == 0",
    "int('-9223372036854775808') < event.zero && string(event.j) == '9223372036854775807'",
    "int(-2.9) == -2 && int(2.9) == 2 && int(event.d) == 2 && double(event.i) == 7.0 && int('42') == 42",
    // Doubles, and integers beside them where only an order is asked for.
    "event.d * 2.0 == 5.0 && event.d / 0.0 > 1.0e308 && event.d > 2 && event.i > 6.5 && 9007199254740993 > 9007199254740992.0",
    "event.money == 12.3 && event.money + 0.1 < 12.41 && abs(-event.d) == 2.5",
    "!(0.0 / 0.0 == 0.0 / 0.0) && 0.0 == -0.0 && double('1e3') == 1000.0",
    // Truth values: a side that decides makes up for one that fails, whichever stands first.
    "true || event.i / event.zero > 1",
    "event.i / event.zero > 1 || true",
    "!(false && event.i / event.zero > 1) && !(event.i / event.zero > 1 && false)",
    "event.ints.exists(x, 6 / (x - 1) == 3) && !event.ints.all(x, 6 / (x - 1) == 3)",
    "event.ints.all(x, x > 0) && event.ints.exists_one(x, x == 2) && ![1].exists(x, x > 1) && [].all(x, false)",
    "event.ints.filter(x, x > 1) == [3, 2] && event.ints.map(x, x * x) == [9, 1, 4]",
    "event.ints.map(x, x > 1, x + 1) == [4, 3] && sum(event.ints) == 6 && sum([0.5, 0.25]) == 0.75",
    "event.ints.all(x, event.ints.exists(y, y == x)) && event.ints.map(x, event.ints.map(y, x * y))[0] == [9, 3, 6]",
    // Lists and maps.
    "2 in event.ints && !(9 in event.ints) && event.ints + [4] == [3, 1, 2, 4] && event.ints[0] == 3",
    "{'a': 1, 'b': 2}['b'] == 2 && 'a' in {'a': 1} && {1: 'x'}[1] == 'x' && size({'a': 1}) == 1",
    "[[1], [2]] != [[1], [3]] && [] == [] && size(event.ints) == 3 && event.ints.size() == 3",
    // Texts: characters, not UTF-16's units.
    "size(event.s) == 6 && event.s.size() == 6 && event.s.substring(5) == '😀' && event.s.substring(0, 2) == 'na'",
    "event.s.startsWith('na') && event.s.endsWith('😀') && event.s.contains('ïv') && event.s.indexOf('😀') == 5",
    "'ABCÀ'.lowerAscii() == 'abcÀ' && 'abcà'.upperAscii() == 'ABCà' && ' a '.trim() == 'a' && 'a,b'.split(',') == ['a', 'b']",
    "'\\U0001F600' > '\\uffff' && 'a' < 'b' && 'a' < 'aa' && 'a' + 'b' == 'ab' && false < true",
    "event.s.matches('^na.ve') && !event.s.matches('^ve') && matches('hubba', '(?i)BB') && 'x\\ny'.matches('^x$') == false",
    // Times keep microseconds, whichever zone they were sent in.
    "event.until - event.at == duration('1h1.000001s') && event.until > event.at && event.at < event.until",
    "event.at == timestamp('2026-03-01T00:59:59.123456+01:00') && event.at != timestamp('2026-02-28T23:59:59.123457Z')",
    "event.at + duration('877ms') > timestamp('2026-03-01T00:00:00Z') && event.at + duration('1us') > event.at",
    "event.at - duration('1h') == timestamp('2026-02-28T22:59:59.123456Z') && event.at in [event.at]",
    "event.at.getFullYear() == 2026 && event.at.getMonth() == 1 && event.at.getDate() == 28 && event.at.getDayOfMonth() == 27",
    "event.at.getDayOfWeek() == 6 && event.at.getDayOfYear() == 58 && event.at.getHours() == 23 && event.at.getMinutes() == 59",
    "event.at.getSeconds() == 59 && event.at.getMilliseconds() == 123 && int(event.at) == 1772323199",
    "event.day == timestamp('2024-02-29T00:00:00Z') && event.day.getDayOfYear() == 59 && event.times[0].getFullYear() == 2026",
    "duration('1h30m').getMinutes() == 90 && duration('-1.5s') < duration('0s') && duration('90s') == duration('1m30s')",
    "string(duration('-500ms')) == '-0.5s' && string(event.day) == '2024-02-29T00:00:00Z' && string(event.d) == '2.5'",
    "string(event.at) == '2026-02-28T23:59:59.123456Z' && string(true) == 'true' && bool('true') && string(7) == '7'",
    "timestamp(0) == timestamp('1970-01-01T00:00:00Z') && timestamp('1969-12-31T23:59:59.999Z').getMilliseconds() == 999",
    "(event.i > 5 ? 'big' : 'small') == 'big' && (event.zero == 0 ? 1 : event.i / event.zero) == 1",
  ])("%s", (expression) => {
    expect(outcome(expression)).toBe(true);
  });
});

describe("a failure says where, and which values did it", () => {
  test.each([
    ["event.i / event.zero > 1", "event.i / event.zero: division by zero, event.i is 7, event.zero is 0"],
    ["event.i % event.zero == 1", "event.i % event.zero: modulo by zero, event.i is 7, event.zero is 0"],
    [
      "event.j + event.i > 1",
      "event.j + event.i: an integer passes 64 bits, event.j is 9223372036854775807, event.i is 7",
    ],
    [
      "event.j * event.j > 1",
      "event.j * event.j: an integer passes 64 bits, event.j is 9223372036854775807, event.j is 9223372036854775807",
    ],
    ["int(event.s) > 1", 'int(event.s): the text is no integer, event.s is "naïve😀"'],
    ["int(event.d * 1e300) > 1", "int(event.d * 1e300): an integer passes 64 bits, event.d * 1e300 is 2.5e+300"],
    [
      "timestamp(event.s) > event.at",
      'timestamp(event.s): the text is no RFC 3339 time such as 2026-01-31T12:00:00Z, event.s is "naïve😀"',
    ],
    ["event.ints[event.i] == 1", "event.ints[event.i]: the list has 3 items, none at 7"],
    ["{'a': 1}[event.s] == 1", `{'a': 1}[event.s]: the map has no "naïve😀"`],
    [
      "event.s.substring(event.i) == ''",
      'event.s.substring(event.i): the text has 6 characters, none from 7 to 6, event.s is "naïve😀", event.i is 7',
    ],
    ["event.many.all(x, event.many.exists(y, y == x))", "it takes more than 10000 steps for this event"],
    ["event.ints.all(x, 6 / (x - 1) > 0)", "6 / (x - 1): division by zero, x - 1 is 0"],
    [
      "event.i / event.zero > 1 || event.zero > 1",
      "event.i / event.zero: division by zero, event.i is 7, event.zero is 0",
    ],
  ])("%s", (expression, reason) => {
    expect(outcome(expression)).toBe(reason);
  });
});

test("null is absence, in lists of objects too", () => {
  const rows: FieldRule[] = [
    { name: "a", kind: "integer", required: false },
    { name: "o", kind: "object", required: false, fields: [{ name: "x", kind: "integer", required: false }] },
    {
      name: "list",
      kind: "array",
      required: true,
      item: { name: "item", kind: "object", required: true, fields: [{ name: "q", kind: "integer", required: false }] },
    },
  ];
  const rule = compileRule(
    checkRule(
      "!has(event.a) && !(has(event.o) && has(event.o.x)) && event.list.exists_one(i, has(i.q) && i.q == 1)",
      rows,
    ),
  );
  expect(rule({ a: null, o: null, list: [{ q: null }, { q: 1 }, {}] })).toBe(true);
  expect(rule({ o: { x: null }, list: [{ q: 1 }] })).toBe(true);
  expect(rule({ o: { x: 0 }, list: [{ q: 1 }] })).toBe(false);
});
