/**
 * A record rule's CEL tree as closures, for the fast path: the library's interpreter takes longer than everything else
 * that admission does to an event. Only the common constructs are compiled, and only while values are of the kind that
 * the expression expects: whatever else comes up ends in `BAIL`, and the library decides. So the closures never differ
 * from it; they only answer sooner (test/property/rule-closures.property.test.ts). A field with null is absent to them, as
 * it is in the copy that the library gets.
 */
import type { ASTNode } from "@marcbachmann/cel-js";

/** The closures cannot decide this event: the library must. */
export const BAIL = Symbol("undecided");

/** Whether the rule holds for an event, or `BAIL`. */
export type FastRule = (event: unknown) => boolean | typeof BAIL;

/** Thrown within an evaluation, caught at its top; preallocated, since a stack trace would cost more than the rule. */
const UNDECIDED = new Error("undecided");

/** Values of the variables in scope: `event` first, then those of macros, by depth. One array an evaluation: a pass over items sets its own place. */
type Scope = unknown[];
type Evaluate = (scope: Scope) => unknown;

interface Names {
  readonly names: readonly string[];
}

/** Compiles a parsed rule; undefined when it uses something that only the library knows. */
export function compileFastRule(ast: ASTNode): FastRule | undefined {
  const evaluate = compile(ast, { names: ["event"] });
  if (evaluate === undefined) return undefined;
  return (event) => {
    try {
      const result = evaluate([event]);
      return typeof result === "boolean" ? result : BAIL;
    } catch (error) {
      if (error === UNDECIDED) return BAIL;
      throw error;
    }
  };
}

function compile(node: ASTNode, names: Names): Evaluate | undefined {
  switch (node.op) {
    case "value":
      return literal(node.args);
    case "id":
      return variable(node.args, names);
    case ".":
      return field(node.args[0], node.args[1], names);
    case "&&":
    case "||":
      return logical(node.op, node.args, names);
    case "!_":
      return unary(node.args, names, (value) => !boolean(value));
    case "-_":
      return unary(node.args, names, (value) => -number(value));
    case "?:": {
      const [condition, yes, no] = node.args.map((part) => compile(part, names));
      if (condition === undefined || yes === undefined || no === undefined) return undefined;
      return (scope) => (boolean(condition(scope)) ? yes(scope) : no(scope));
    }
    case "+":
    case "-":
    case "*":
      return arithmetic(node.op, node.args, names);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return comparison(node.op, node.args, names);
    case "==":
      return equality(node.args, names, true);
    case "!=":
      return equality(node.args, names, false);
    case "in":
      return membership(node.args, names);
    case "call":
      return call(node.args[0], node.args[1], names);
    case "rcall":
      return macro(node.args[0], node.args[1], node.args[2], names);
    default:
      return undefined;
  }
}

// Integer literals are bigint in CEL, and JSON's numbers are doubles: they meet in comparisons only (see `operand`).
function literal(value: unknown): Evaluate | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null
    ? () => value
    : undefined;
}

function variable(name: string, { names }: Names): Evaluate | undefined {
  const at = names.lastIndexOf(name);
  return at < 0 ? undefined : (scope) => scope[at];
}

function field(object: ASTNode, name: string, names: Names): Evaluate | undefined {
  const evaluate = compile(object, names);
  // What every object inherits is neither absent nor a field: the library says what it is.
  if (evaluate === undefined || name in Object.prototype) return undefined;
  if (object.op !== "id") return (scope) => memberOf(evaluate(scope), name);
  // A field of a variable, as nearly all are, costs one call less.
  const at = names.names.lastIndexOf(object.args);
  return (scope) => memberOf(scope[at], name);
}

function memberOf(container: unknown, name: string): unknown {
  if (!isObject(container)) throw UNDECIDED;
  const value = container[name];
  // Null is absence to a rule, and an absent field is an error that only the library weighs.
  if (value === undefined || value === null) throw UNDECIDED;
  return value;
}

// CEL's `false && error` is false whichever side erred: a side that is undecided leaves the whole to the library.
function logical(op: "&&" | "||", [left, right]: readonly [ASTNode, ASTNode], names: Names): Evaluate | undefined {
  const a = compile(left, names);
  const b = compile(right, names);
  if (a === undefined || b === undefined) return undefined;
  return op === "&&"
    ? (scope) => boolean(a(scope)) && boolean(b(scope))
    : (scope) => boolean(a(scope)) || boolean(b(scope));
}

function unary(argument: ASTNode, names: Names, apply: (value: unknown) => unknown): Evaluate | undefined {
  const evaluate = compile(argument, names);
  return evaluate === undefined ? undefined : (scope) => apply(evaluate(scope));
}

type Sides = readonly [ASTNode, ASTNode];

function arithmetic(op: "+" | "-" | "*", [left, right]: Sides, names: Names): Evaluate | undefined {
  const a = compile(left, names);
  const b = compile(right, names);
  if (a === undefined || b === undefined) return undefined;
  switch (op) {
    case "+":
      return (scope) => number(a(scope)) + number(b(scope));
    case "-":
      return (scope) => number(a(scope)) - number(b(scope));
    case "*":
      return (scope) => number(a(scope)) * number(b(scope));
  }
}

/** A side of a comparison: here an integer literal may stand for the double of the same value. */
function operand(node: ASTNode, names: Names): Evaluate | undefined {
  if (node.op === "value" && typeof node.args === "bigint" && BigInt.asIntN(53, node.args) === node.args) {
    const value = Number(node.args);
    return () => value;
  }
  return compile(node, names);
}

function comparison(op: "<" | "<=" | ">" | ">=", sides: Sides, names: Names): Evaluate | undefined {
  const a = operand(sides[0], names);
  const b = operand(sides[1], names);
  if (a === undefined || b === undefined) return undefined;
  switch (op) {
    case "<":
      return (scope) => number(a(scope)) < number(b(scope));
    case "<=":
      return (scope) => number(a(scope)) <= number(b(scope));
    case ">":
      return (scope) => number(a(scope)) > number(b(scope));
    case ">=":
      return (scope) => number(a(scope)) >= number(b(scope));
  }
}

function equality(sides: Sides, names: Names, equal: boolean): Evaluate | undefined {
  const a = operand(sides[0], names);
  const b = operand(sides[1], names);
  if (a === undefined || b === undefined) return undefined;
  return (scope) => {
    const left = a(scope);
    const right = b(scope);
    if (!isPlain(left) || !isPlain(right)) throw UNDECIDED;
    // Of different types only null is defined to be comparable; the library says what the others are.
    if (typeof left !== typeof right && left !== null && right !== null) throw UNDECIDED;
    return (left === right) === equal;
  };
}

/** `x in ['a', 'b']`: a list of texts only. */
function membership([element, collection]: Sides, names: Names): Evaluate | undefined {
  const evaluate = compile(element, names);
  if (evaluate === undefined || collection.op !== "list") return undefined;
  const texts = collection.args.flatMap((item) =>
    item.op === "value" && typeof item.args === "string" ? [item.args] : [],
  );
  if (texts.length !== collection.args.length) return undefined;
  const members = new Set(texts);
  return (scope) => {
    const value = evaluate(scope);
    if (typeof value !== "string") throw UNDECIDED;
    return members.has(value);
  };
}

function call(name: string, args: readonly ASTNode[], names: Names): Evaluate | undefined {
  const [only] = args;
  if (only === undefined || args.length !== 1) return undefined;
  if (name === "has") return has(only, names);
  if (name === "sum") return sum(only, names);
  const evaluate = compile(only, names);
  if (evaluate === undefined || name !== "abs") return undefined;
  return (scope) => Math.abs(number(evaluate(scope)));
}

function sum(argument: ASTNode, names: Names): Evaluate | undefined {
  const mapped =
    argument.op === "rcall" && argument.args[0] === "map" ? pass(argument.args[1], argument.args[2], names) : undefined;
  if (mapped !== undefined) {
    // Of what a map gives, without making the list.
    const { items, at, each } = mapped;
    return (scope) => {
      let total = 0;
      for (const item of items(scope)) {
        scope[at] = item;
        total += number(each(scope));
      }
      return total;
    };
  }
  const evaluate = compile(argument, names);
  if (evaluate === undefined) return undefined;
  return (scope) => {
    let total = 0;
    for (const item of list(evaluate(scope))) total += number(item);
    return total;
  };
}

function has(argument: ASTNode, names: Names): Evaluate | undefined {
  if (argument.op !== ".") return undefined;
  const [object, name] = argument.args;
  const evaluate = compile(object, names);
  if (evaluate === undefined || name in Object.prototype) return undefined;
  return (scope) => {
    const container = evaluate(scope);
    if (!isObject(container)) throw UNDECIDED;
    // A field that was sent as null counts as absent.
    return container[name] !== undefined && container[name] !== null;
  };
}

/** What a macro does with each item of a list: `each` is evaluated with the item at `at` of the scope. */
interface Pass {
  readonly items: (scope: Scope) => readonly unknown[];
  readonly at: number;
  readonly each: Evaluate;
}

function pass(target: ASTNode, [binding, body, ...others]: readonly ASTNode[], names: Names): Pass | undefined {
  if (binding?.op !== "id" || body === undefined || others.length > 0) return undefined;
  const evaluate = compile(target, names);
  const each = compile(body, { names: [...names.names, binding.args] });
  if (evaluate === undefined || each === undefined) return undefined;
  return { items: (scope) => list(evaluate(scope)), at: names.names.length, each };
}

function macro(name: string, target: ASTNode, args: readonly ASTNode[], names: Names): Evaluate | undefined {
  const over = pass(target, args, names);
  if (over === undefined) return undefined;
  const { items, at, each } = over;
  const ofItem = (scope: Scope, item: unknown): unknown => {
    scope[at] = item;
    return each(scope);
  };
  switch (name) {
    case "map":
      return (scope) => items(scope).map((item) => ofItem(scope, item));
    // Undecided items are undecided for the whole: CEL absorbs errors here as it does in && and ||.
    case "all":
      return (scope) => items(scope).every((item) => boolean(ofItem(scope, item)));
    case "exists":
      return (scope) => items(scope).some((item) => boolean(ofItem(scope, item)));
    default:
      return undefined;
  }
}

function number(value: unknown): number {
  if (typeof value !== "number") throw UNDECIDED;
  return value;
}

function boolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw UNDECIDED;
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw UNDECIDED;
  return value;
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
