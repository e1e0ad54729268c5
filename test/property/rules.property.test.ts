/**
 * Rules give what another implementation of CEL gives: random typed expressions over random events, each also evaluated by the
 * library that only reads them for the build. Of times it has milliseconds, so events have no more here.
 */
import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { FieldRule } from "../../contracts/contract.ts";
import { compileRule } from "../../contracts/rules/evaluate.ts";
import { checkRule } from "../../tools/build/contracts/rules/check-rule.ts";
import { RuleProblem } from "../../tools/build/contracts/rules/context.ts";
import { longOrShare } from "../long-share.ts";

const fields: readonly FieldRule[] = [
  { name: "i", kind: "integer", required: true },
  { name: "j", kind: "integer", required: true },
  { name: "k", kind: "integer", required: false },
  { name: "d", kind: "number", required: true },
  { name: "s", kind: "string", required: true },
  { name: "t", kind: "timestamp", required: true },
  { name: "b", kind: "boolean", required: true },
  { name: "ints", kind: "array", required: true, item: { name: "item", kind: "integer", required: true } },
  {
    name: "list",
    kind: "array",
    required: true,
    item: {
      name: "item",
      kind: "object",
      required: true,
      fields: [
        { name: "q", kind: "integer", required: true },
        { name: "p", kind: "number", required: false },
      ],
    },
  },
];

/** The event as the library has typed values. */
class Item {
  readonly #raw: Readonly<Record<string, unknown>>;
  constructor(raw: Readonly<Record<string, unknown>>) {
    this.#raw = raw;
  }
  get q(): unknown {
    return bigIntOf(this.#raw["q"]);
  }
  get p(): unknown {
    return this.#raw["p"];
  }
}
class Event {
  readonly #raw: Readonly<Record<string, unknown>>;
  constructor(raw: Readonly<Record<string, unknown>>) {
    this.#raw = raw;
  }
  get i(): unknown {
    return bigIntOf(this.#raw["i"]);
  }
  get j(): unknown {
    return bigIntOf(this.#raw["j"]);
  }
  get k(): unknown {
    return this.#raw["k"] === undefined ? undefined : bigIntOf(this.#raw["k"]);
  }
  get d(): unknown {
    return this.#raw["d"];
  }
  get s(): unknown {
    return this.#raw["s"];
  }
  get t(): unknown {
    return new Date(String(this.#raw["t"]));
  }
  get b(): unknown {
    return this.#raw["b"];
  }
  get ints(): unknown {
    return listOf(this.#raw["ints"]).map(bigIntOf);
  }
  get list(): unknown {
    return listOf(this.#raw["list"]).map((item) => new Item(Object(item)));
  }
}

function bigIntOf(value: unknown): bigint {
  return BigInt(JSON.isRawJSON(value) ? value.rawJSON : String(value));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const library = new Environment()
  .registerFunction("abs(double): double", (value: number) => Math.abs(value))
  .registerFunction("abs(int): int", (value: bigint) => (value < 0n ? -value : value))
  .registerFunction("sum(list<int>): int", (values: Iterable<bigint>) => [...values].reduce((a, b) => a + b, 0n))
  .registerType("Item", { ctor: Item, fields: { q: "int", p: "double" } })
  .registerType("Event", {
    ctor: Event,
    fields: {
      i: "int",
      j: "int",
      k: "int",
      d: "double",
      s: "string",
      t: "google.protobuf.Timestamp",
      b: "bool",
      ints: "list<int>",
      list: "list<Item>",
    },
  })
  .registerVariable("event", "Event");

const { bool } = fc.letrec<{ int: string; double: string; text: string; time: string; list: string; bool: string }>(
  (tie) => {
    const infix = (side: "int" | "double" | "bool", ...signs: string[]) =>
      fc.tuple(tie(side), fc.constantFrom(...signs), tie(side)).map(([a, sign, b]) => `(${a} ${sign} ${b})`);
    return {
      int: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.i", "event.j", "event.k", "0", "1", "-3", "9007199254740993", "4611686018427387904"),
        infix("int", "+", "-", "*", "/", "%"),
        tie("int").map((value) => `abs(${value})`),
        // The library gives an integer of more than 64 bits.
        tie("double").map((value) => `(${value} > -1e15 && ${value} < 1e15 ? int(${value}) : 0)`),
        tie("text").map((value) => `size(${value})`),
        tie("list").map((value) => `sum(${value})`),
        tie("list").map((value) => `${value}.size()`),
        fc.tuple(tie("list"), tie("int")).map(([list, at]) => `${list}[${at}]`),
        fc.tuple(tie("bool"), tie("int"), tie("int")).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
        fc.constantFrom("event.t.getHours()", "event.t.getDayOfYear()", "event.t.getDayOfWeek()"),
        // The library takes an empty text for 0.
        fc.constantFrom("(event.s == '' ? 5 : int(event.s))"),
      ),
      double: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.d", "0.5", "1e300", "-2.0"),
        infix("double", "+", "-", "*", "/"),
        tie("int").map((value) => `double(${value})`),
        tie("double").map((value) => `(-${value})`),
      ),
      text: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.s", "''", "'ab'", "'😀'", "'7'"),
        fc.tuple(tie("text"), tie("text")).map(([a, b]) => `(${a} + ${b})`),
        tie("int").map((value) => `string(${value})`),
        tie("text").map((value) => `${value}.trim()`),
      ),
      time: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.t", "timestamp('2026-01-31T12:00:00Z')"),
        fc
          .tuple(tie("time"), fc.constantFrom("+", "-"), fc.constantFrom("1h", "90s", "250ms", "1h1m1s"))
          .map(([a, sign, length]) => `(${a} ${sign} duration('${length}'))`),
      ),
      list: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.ints", "event.list.map(x, x.q)", "[1, 2]"),
        tie("int").map((value) => `event.ints.map(y, y * ${value})`),
        tie("bool").map((value) => `event.ints.filter(y, y > 1 || ${value})`),
        fc.tuple(tie("list"), tie("list")).map(([a, b]) => `(${a} + ${b})`),
      ),
      bool: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("event.b", "true", "has(event.k)", "!has(event.k)", "(event.s in ['ab', ''])"),
        infix("bool", "&&", "||", "==", "!="),
        tie("bool").map((value) => `!${value}`),
        infix("int", "<", "<=", ">", ">=", "==", "!="),
        infix("double", "<", "<=", ">", ">=", "==", "!="),
        fc.tuple(tie("int"), fc.constantFrom("<", ">="), tie("double")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc
          .tuple(tie("time"), fc.constantFrom("<", "==", ">="), tie("time"))
          .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc
          .tuple(tie("text"), fc.constantFrom("contains", "startsWith", "endsWith"), tie("text"))
          .map(([a, name, b]) => `${a}.${name}(${b})`),
        fc.tuple(tie("text"), fc.constantFrom("==", "!="), tie("text")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc.tuple(tie("list"), fc.constantFrom("==", "!="), tie("list")).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc.tuple(tie("int"), tie("list")).map(([a, list]) => `(${a} in ${list})`),
        fc
          .tuple(fc.constantFrom("all", "exists", "exists_one"), tie("int"))
          .map(([name, value]) => `event.list.${name}(x, x.q > ${value} || has(x.p) && x.p < 1.0)`),
        fc
          .tuple(fc.constantFrom("all", "exists"), tie("int"))
          .map(([name, value]) => `event.ints.${name}(x, ${value} / x > 1)`),
      ),
    };
  },
);

const integer = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map((value) => JSON.rawJSON(String(value))),
);
const events = fc.record(
  {
    i: integer,
    j: integer,
    k: integer,
    d: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, 1, -2)),
    s: fc.constantFrom("", "ab", " ab", "12", "😀x"),
    t: fc
      .date({ min: new Date("1970-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    b: fc.boolean(),
    ints: fc.array(fc.integer({ min: -2, max: 4 }), { maxLength: 3 }),
    list: fc.array(
      fc.record({ q: fc.integer({ min: 0, max: 5 }), p: fc.double({ noNaN: true }) }, { requiredKeys: ["q"] }),
      {
        maxLength: 3,
      },
    ),
  },
  { requiredKeys: ["i", "j", "d", "s", "t", "b", "ints", "list"] },
);

/** A double that passes int()'s 64 bits, and times beyond what this platform keeps, are errors here and values there. */
const BEYOND = /passes 64 bits|outside of the years/;

test(
  "random rules over random events",
  () => {
    let judged = 0;
    let failed = 0;
    fc.assert(
      fc.property(bool, fc.array(events, { minLength: 3, maxLength: 3 }), (expression, values) => {
        let program: ReturnType<typeof checkRule>;
        try {
          program = checkRule(expression, fields);
        } catch (error) {
          // An optional field that may be absent, or a constant that fails: the library knows neither.
          expect(error).toBeInstanceOf(RuleProblem);
          expect(String(error)).toMatch(/ask has|by zero|passes 64 bits|no integer|is no int/);
          return;
        }
        expect([expression, library.check(expression)]).toEqual([expression, { valid: true, type: "bool" }]);
        const rule = compileRule(program);
        for (const value of values) {
          const ours = rule(value);
          if (typeof ours !== "boolean" && BEYOND.test(ours.reason)) continue;
          let theirs: unknown;
          try {
            theirs = library.evaluate(expression, { event: new Event(value) });
          } catch {
            theirs = "error";
          }
          judged++;
          if (typeof ours !== "boolean") failed++;
          expect([expression, typeof ours === "boolean" ? ours : "error"]).toEqual([expression, theirs]);
        }
      }),
      { numRuns: longOrShare(10_000, 800) },
    );
    expect(judged).toBeGreaterThan(1_000);
    expect(failed).toBeGreaterThan(20);
  },
  longOrShare(900_000, 120_000),
);
