/** The closures answer as the library does, or not at all: for random expressions over random events. */
import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { registerRuleFunctions } from "../../contracts/rule-functions.ts";
import { BAIL, compileFastRule } from "../../gateway/admit/rule-closures.ts";

const environment = registerRuleFunctions(new Environment().registerVariable("event", "map"));

const { logical } = fc.letrec<{ numeric: string; logical: string }>((tie) => ({
  numeric: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      "event.a",
      "event.b",
      "event.s",
      "event.missing",
      "0.5",
      "2.0",
      "1",
      "event.o.x",
      "event.n",
      "event.big",
    ),
    fc
      .tuple(tie("numeric"), fc.constantFrom("+", "-", "*", "/"), tie("numeric"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("numeric").map((value) => `abs(${value})`),
    tie("numeric").map((value) => `(-${value})`),
    tie("numeric").map((body) => `sum(event.list.map(i, i.q * ${body}))`),
    fc.tuple(tie("logical"), tie("numeric"), tie("numeric")).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
  ),
  logical: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      "event.t",
      "true",
      "has(event.a)",
      "has(event.missing)",
      "has(event.n)",
      "event.s == 'x'",
      "event.n == null",
      "event.s != null",
      "event.missing == 1.0",
      "event.s == 1.0",
      "event.list == []",
      "event.s in ['x', 'z']",
      "event.b in ['x']",
      "event.s in []",
    ),
    fc
      .tuple(tie("numeric"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), tie("numeric"))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie("logical"), fc.constantFrom("&&", "||"), tie("logical")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("logical").map((value) => `!${value}`),
    tie("numeric").map((value) => `event.list.all(i, i.q >= ${value})`),
    tie("numeric").map((value) => `event.list.exists(i, i.q > ${value})`),
  ),
}));

const events = fc.record(
  {
    a: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
    b: fc.integer({ min: -3, max: 3 }),
    s: fc.constantFrom("x", "y", ""),
    t: fc.boolean(),
    n: fc.constant(null),
    big: fc.constant(1e300),
    o: fc.record({ x: fc.integer() }),
    list: fc.array(fc.record({ q: fc.integer({ min: 0, max: 5 }) }, { requiredKeys: [] }), { maxLength: 4 }),
  },
  { requiredKeys: ["b", "list", "s"] },
);

/** What the library says of the event without its nulls, which rules take for absent: a boolean, or that it cannot. */
function byLibrary(expression: string, event: Readonly<Record<string, unknown>>): unknown {
  try {
    const input = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
    return environment.parse(expression)({ event: input });
  } catch {
    return "error";
  }
}

test("random rules", () => {
  let decided = 0;
  fc.assert(
    fc.property(logical, events, (expression, event) => {
      if (!environment.check(expression).valid) return;
      const fast = compileFastRule(environment.parse(expression).ast);
      const answer = fast === undefined ? BAIL : fast(event);
      if (answer === BAIL) return;
      decided++;
      expect([expression, answer]).toEqual([expression, byLibrary(expression, event)]);
    }),
    { numRuns: 5_000 },
  );
  expect(decided).toBeGreaterThan(500);
});

test("the contracts' own rules are decided by the closures", () => {
  for (const rule of contracts.flatMap((contract) => contract.rules)) {
    expect([rule.id, compileFastRule(environment.parse(rule.expression).ast) === undefined]).toEqual([rule.id, false]);
  }
});
