/**
 * The functions and operators on single values that a rule may call, each once for the types that it takes: the build looks up
 * which one an expression means, the gateway what it does. Lists, maps and macros have nodes of their own (`program.ts`).
 */
import { RuleFailure } from "./failure.ts";
import * as ints from "./integers.ts";
import type { Scalar } from "./program.ts";
import { type Evaluate, type Scope, spend, spendText } from "./scope.ts";
import * as times from "./times.ts";
import type { RuleType } from "./types.ts";

export interface Overload {
  /** An operator, a function, or a method with a point before it. */
  readonly name: string;
  readonly params: readonly Scalar[];
  readonly result: RuleType;
  /** Whether it has a result for all values. */
  readonly total?: true;
  make(args: readonly Evaluate[]): Evaluate;
}

interface Kind<T> {
  readonly type: Scalar;
  /** The value as what it is; the build has seen to it that it is. */
  of(value: unknown): T;
}

function mismatch(type: Scalar): never {
  throw new RuleFailure(`a value is no ${type}`);
}

const BOOL: Kind<boolean> = { type: "bool", of: (value) => (typeof value === "boolean" ? value : mismatch("bool")) };
/** False comes before true. */
const TRUTH: Kind<number> = { type: "bool", of: (value) => Number(BOOL.of(value)) };
const DOUBLE: Kind<number> = {
  type: "double",
  of: (value) => (typeof value === "number" ? value : mismatch("double")),
};
const INT: Kind<ints.Int> = {
  type: "int",
  of: (value) => (typeof value === "number" || typeof value === "bigint" ? value : mismatch("int")),
};
const STRING: Kind<string> = {
  type: "string",
  of: (value) => (typeof value === "string" ? value : mismatch("string")),
};
const TIMESTAMP: Kind<number> = { ...DOUBLE, type: "timestamp" };
const DURATION: Kind<number> = { ...DOUBLE, type: "duration" };

const NONE: Evaluate = () => undefined;

function unary<A>(name: string, a: Kind<A>, result: RuleType, apply: (a: A, scope: Scope) => unknown): Overload {
  return {
    name,
    params: [a.type],
    result,
    make([x = NONE]) {
      if (a.type !== "string") return (scope) => apply(a.of(x(scope)), scope);
      return (scope) => {
        const value = a.of(x(scope));
        if (typeof value === "string") spendText(scope, value.length);
        return apply(value, scope);
      };
    },
  };
}

function binary<A, B>(
  name: string,
  a: Kind<A>,
  b: Kind<B>,
  result: RuleType,
  apply: (a: A, b: B, scope: Scope) => unknown,
): Overload {
  return {
    name,
    params: [a.type, b.type],
    result,
    make([x = NONE, y = NONE]) {
      return (scope) => apply(a.of(x(scope)), b.of(y(scope)), scope);
    },
  };
}

function orderings(a: Kind<ints.Int>, b: Kind<ints.Int>): Overload[] {
  return [
    binary("<", a, b, "bool", (x, y) => x < y),
    binary("<=", a, b, "bool", (x, y) => x <= y),
    binary(">", a, b, "bool", (x, y) => x > y),
    binary(">=", a, b, "bool", (x, y) => x >= y),
  ].map(total);
}

function total(overload: Overload): Overload {
  return { ...overload, total: true };
}

const DOUBLES = [
  binary("+", DOUBLE, DOUBLE, "double", (a, b) => a + b),
  binary("-", DOUBLE, DOUBLE, "double", (a, b) => a - b),
  binary("*", DOUBLE, DOUBLE, "double", (a, b) => a * b),
  binary("/", DOUBLE, DOUBLE, "double", (a, b) => a / b),
  unary("-_", DOUBLE, "double", (a) => -a),
  unary("abs", DOUBLE, "double", Math.abs),
  unary("double", DOUBLE, "double", (a) => a),
  unary("double", INT, "double", Number),
].map(total);

const ARITHMETIC = [
  binary("+", INT, INT, "int", ints.add),
  binary("-", INT, INT, "int", ints.subtract),
  binary("*", INT, INT, "int", ints.multiply),
  binary("/", INT, INT, "int", ints.divide),
  binary("%", INT, INT, "int", ints.modulo),
  unary("-_", INT, "int", (a) => ints.subtract(0, a)),
  unary("abs", INT, "int", (a) => (a < 0 ? ints.subtract(0, a) : a)),
  binary("+", TIMESTAMP, DURATION, "timestamp", (a, b) => times.micros(a + b)),
  binary("+", DURATION, TIMESTAMP, "timestamp", (a, b) => times.micros(a + b)),
  binary("-", TIMESTAMP, DURATION, "timestamp", (a, b) => times.micros(a - b)),
  binary("-", TIMESTAMP, TIMESTAMP, "duration", (a, b) => times.micros(a - b)),
  binary("+", DURATION, DURATION, "duration", (a, b) => times.micros(a + b)),
  binary("-", DURATION, DURATION, "duration", (a, b) => times.micros(a - b)),
];

const CONVERSIONS = [
  unary("int", INT, "int", (a) => a),
  unary("int", DOUBLE, "int", ints.intFromDouble),
  unary("int", STRING, "int", ints.intFromText),
  unary("int", TIMESTAMP, "int", times.secondsOf),
  unary("double", STRING, "double", doubleOf),
  unary("string", STRING, "string", (a) => a),
  unary("string", BOOL, "string", String),
  unary("string", INT, "string", String),
  unary("string", DOUBLE, "string", String),
  unary("string", TIMESTAMP, "string", times.timestampText),
  unary("string", DURATION, "string", times.durationText),
  unary("bool", BOOL, "bool", (a) => a),
  unary("bool", STRING, "bool", boolOf),
  unary("timestamp", TIMESTAMP, "timestamp", (a) => a),
  unary("timestamp", STRING, "timestamp", times.timestampOf),
  unary("timestamp", INT, "timestamp", times.timestampOfSeconds),
  unary("duration", DURATION, "duration", (a) => a),
  unary("duration", STRING, "duration", times.durationOf),
];

const TEXTS = [
  binary("+", STRING, STRING, "string", (a, b, scope) => {
    spendText(scope, a.length + b.length);
    return a + b;
  }),
  unary("size", STRING, "int", pointsOf),
  unary(".size", STRING, "int", pointsOf),
  binary(".contains", STRING, STRING, "bool", (a, b, scope) => {
    spendSearch(scope, a, b);
    return a.includes(b);
  }),
  binary(".startsWith", STRING, STRING, "bool", (a, b) => a.startsWith(b)),
  binary(".endsWith", STRING, STRING, "bool", (a, b) => a.endsWith(b)),
  unary(".lowerAscii", STRING, "string", (a) => a.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  unary(".upperAscii", STRING, "string", (a) => a.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  unary(".trim", STRING, "string", (a) => a.trim()),
  binary(".split", STRING, STRING, { list: "string" }, (a, b, scope) => {
    spendSearch(scope, a, b);
    const parts = b === "" ? [...a] : a.split(b);
    spend(scope, parts.length);
    return parts;
  }),
  binary(".indexOf", STRING, STRING, "int", (a, b, scope) => {
    spendSearch(scope, a, b);
    const units = a.indexOf(b);
    return units < 0 ? -1 : [...a.slice(0, units)].length;
  }),
  binary(".substring", STRING, INT, "string", (a, from, scope) => substring(a, from, undefined, scope)),
  {
    name: ".substring",
    params: ["string", "int", "int"],
    result: "string",
    make([text = NONE, from = NONE, to = NONE]) {
      return (scope) => substring(STRING.of(text(scope)), INT.of(from(scope)), INT.of(to(scope)), scope);
    },
  } satisfies Overload,
];

const TIMES = [
  ...Object.entries(times.TIME_PARTS).map(([name, part]) => unary(`.${name}`, TIMESTAMP, "int", part)),
  ...Object.entries(times.DURATION_PARTS).map(([name, part]) => unary(`.${name}`, DURATION, "int", part)),
];

export const OVERLOADS: readonly Overload[] = [
  ...DOUBLES,
  ...ARITHMETIC,
  ...CONVERSIONS,
  ...TEXTS,
  ...TIMES,
  ...orderings(TRUTH, TRUTH),
  ...orderings(INT, INT),
  ...orderings(DOUBLE, DOUBLE),
  ...orderings(INT, DOUBLE),
  ...orderings(DOUBLE, INT),
  binary("<", STRING, STRING, "bool", (a, b, scope) => compareTexts(a, b, scope) < 0),
  binary("<=", STRING, STRING, "bool", (a, b, scope) => compareTexts(a, b, scope) <= 0),
  binary(">", STRING, STRING, "bool", (a, b, scope) => compareTexts(a, b, scope) > 0),
  binary(">=", STRING, STRING, "bool", (a, b, scope) => compareTexts(a, b, scope) >= 0),
  ...orderings(TIMESTAMP, TIMESTAMP),
  ...orderings(DURATION, DURATION),
];

export function signatureOf({ name, params }: Pick<Overload, "name" | "params">): string {
  return `${name}(${params.join(", ")})`;
}

const bySignature = new Map(OVERLOADS.map((overload) => [signatureOf(overload), overload]));

export function overloadOf(signature: string): Overload | undefined {
  return bySignature.get(signature);
}

/** The runtime's search compares as many characters as the product of both lengths at worst. */
function spendSearch(scope: Scope, text: string, part: string): void {
  spendText(scope, text.length * (1 + part.length / 4));
}

/** Below zero if `a` comes first. By code points, as CEL has it: by UTF-16's units the characters beyond U+FFFF come too early. */
function compareTexts(a: string, b: string, scope: Scope): number {
  const length = Math.min(a.length, b.length);
  spendText(scope, length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 0x10000 - y : x - 0x10000;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

function pointsOf(text: string): number {
  let points = 0;
  for (const _point of text) points++;
  return points;
}

function substring(text: string, from: ints.Int, to: ints.Int | undefined, scope: Scope): string {
  spendText(scope, text.length);
  const points = [...text];
  const end = to ?? points.length;
  if (from < 0 || end > points.length || from > end)
    throw new RuleFailure(`the text has ${points.length} characters, none from ${from} to ${end}`);
  return points.slice(Number(from), Number(end)).join("");
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;

function doubleOf(text: string): number {
  if (text.length > 400 || !NUMBER.test(text)) throw new RuleFailure("the text is no number");
  return Number(text);
}

const TRUE = new Set(["1", "t", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "false", "FALSE", "False"]);

function boolOf(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new RuleFailure("the text is neither true nor false");
}
