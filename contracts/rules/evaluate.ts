/**
 * Rules as closures: a tree is made once, at module scope, and an event walks it. No code is generated and no name looked up;
 * the library that reads CEL for the build takes ten times as long to evaluate it (docs/benchmarks.md).
 */
import { compilePattern } from "../patterns/pattern.ts";
import { RuleFailure, shownValue } from "./failure.ts";
import { add, type Int, intOf } from "./integers.ts";
import { overloadOf } from "./overloads.ts";
import { arrayOf, boolOf, compilePass, spentItems } from "./passes.ts";
import type { RuleNode, RuleProgram } from "./program.ts";
import { readingOf } from "./readings.ts";
import { type Evaluate, MAX_STEPS, type Scope, spend, spendText } from "./scope.ts";

/** Whether the rule holds for an event, or why that cannot be said. */
export type Rule = (event: unknown) => boolean | RuleFailure;

/** Throws for a program that the build did not make. */
export function compileRule({ body }: RuleProgram): Rule {
  const evaluate = compileNode(body);
  return (event) => {
    try {
      return boolOf(evaluate({ values: [event], steps: MAX_STEPS }));
    } catch (error) {
      if (error instanceof RuleFailure) return error;
      throw error;
    }
  };
}

export function compileNode(node: RuleNode): Evaluate {
  switch (node.op) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "integer": {
      const value = intOf(BigInt(node.digits));
      return () => value;
    }
    case "variable": {
      const { at } = node;
      return (scope) => scope.values[at];
    }
    case "field":
      return compileField(node);
    case "has": {
      const of = compileNode(node.of);
      const { name } = node;
      return (scope) => memberOf(of(scope), name) !== undefined;
    }
    case "and":
    case "or":
      return compileLogical(compileNode(node.sides[0]), compileNode(node.sides[1]), node.op === "or");
    case "not": {
      const of = compileNode(node.of);
      return (scope) => !boolOf(of(scope));
    }
    case "if": {
      const condition = compileNode(node.condition);
      const yes = compileNode(node.yes);
      const no = compileNode(node.no);
      return (scope) => (boolOf(condition(scope)) ? yes(scope) : no(scope));
    }
    case "equal": {
      const a = compileNode(node.sides[0]);
      const b = compileNode(node.sides[1]);
      const { negated } = node;
      return (scope) => areEqual(a(scope), b(scope), scope) !== negated;
    }
    case "in":
      return compileMembership(node);
    case "list": {
      const items = node.items.map(compileNode);
      return (scope) => items.map((item) => item(scope));
    }
    case "map": {
      const entries = node.entries.map(([key, value]) => [compileNode(key), compileNode(value)] as const);
      return (scope) => new Map(entries.map(([key, value]) => [key(scope), value(scope)]));
    }
    case "index":
      return compileIndex(node);
    case "length": {
      const of = compileNode(node.of);
      return (scope) => {
        const value = of(scope);
        return value instanceof Map ? value.size : arrayOf(value).length;
      };
    }
    case "concat": {
      const a = compileNode(node.sides[0]);
      const b = compileNode(node.sides[1]);
      return (scope) => {
        const both = [...arrayOf(a(scope)), ...arrayOf(b(scope))];
        spend(scope, both.length);
        return both;
      };
    }
    case "sum":
      return compileSum(node);
    case "matches": {
      const of = compileNode(node.of);
      const pattern = compilePattern(node.pattern, "re2");
      return (scope) => {
        const text = of(scope);
        if (typeof text !== "string") throw new RuleFailure("a value is no string");
        spendText(scope, text.length);
        return pattern.test(text);
      };
    }
    case "call":
      return compileCall(node);
    default:
      return compilePass({ op: node.op, list: compileNode(node.of), at: node.at, body: compileNode(node.body) });
  }
}

type NodeOf<Op extends RuleNode["op"]> = Extract<RuleNode, { readonly op: Op }>;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Undefined for a null too, which is absence to a rule. No field has a name that all objects inherit (`gateway/admit/plan.ts`). */
function memberOf(container: unknown, name: string): unknown {
  return isObject(container) ? (container[name] ?? undefined) : undefined;
}

function compileField({ of: object, name, reading, text }: NodeOf<"field">): Evaluate {
  const read = readingOf(reading);
  const present = (value: unknown): unknown => {
    if (value === undefined) throw new RuleFailure(`${text} is absent`, true);
    return read(value, text);
  };
  if (object.op === "variable") {
    // A field of a variable, as nearly all are, costs one call less.
    const { at } = object;
    return (scope) => present(memberOf(scope.values[at], name));
  }
  const of = compileNode(object);
  return (scope) => present(memberOf(of(scope), name));
}

/** `true || failure` and `failure || true` are true, and so with `&&` and false (cel-spec, "Logical Operators"). */
function compileLogical(a: Evaluate, b: Evaluate, decisive: boolean): Evaluate {
  return (scope) => {
    let left: boolean;
    try {
      left = boolOf(a(scope));
    } catch (error) {
      if (error instanceof RuleFailure && decides(b, decisive, scope)) return decisive;
      throw error;
    }
    return left === decisive ? decisive : boolOf(b(scope));
  };
}

/** A side that fails as well decides nothing: then the first failure is the one to tell. */
function decides(side: Evaluate, decisive: boolean, scope: Scope): boolean {
  try {
    return boolOf(side(scope)) === decisive;
  } catch (error) {
    if (error instanceof RuleFailure) return false;
    throw error;
  }
}

function areEqual(a: unknown, b: unknown, scope: Scope): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  spend(scope, a.length);
  return a.length === b.length && a.every((item: unknown, at) => areEqual(item, b[at], scope));
}

function compileMembership({ item, of: collection }: NodeOf<"in">): Evaluate {
  const evaluate = compileNode(item);
  if (collection.op === "list" && collection.items.every(({ op }) => op === "literal")) {
    const members = new Set(collection.items.map((each) => (each.op === "literal" ? each.value : undefined)));
    return (scope) => {
      const value = evaluate(scope);
      return (
        (typeof value === "string" || typeof value === "number" || typeof value === "boolean") && members.has(value)
      );
    };
  }
  const of = compileNode(collection);
  return (scope) => {
    const value = evaluate(scope);
    const members = of(scope);
    if (members instanceof Map) return members.has(value);
    const items = arrayOf(members);
    spend(scope, items.length);
    return items.some((member) => areEqual(member, value, scope));
  };
}

function compileIndex({ of: collection, index, text }: NodeOf<"index">): Evaluate {
  const of = compileNode(collection);
  const at = compileNode(index);
  return (scope) => {
    const place = at(scope);
    const container = of(scope);
    if (container instanceof Map) {
      if (!container.has(place)) throw new RuleFailure(`${text}: the map has no ${shownValue(place)}`, true);
      return container.get(place);
    }
    const items = arrayOf(container);
    if (typeof place !== "number" || place < 0 || place >= items.length)
      throw new RuleFailure(`${text}: the list has ${items.length} items, none at ${shownValue(place)}`, true);
    return items[place];
  };
}

function compileSum({ of, type }: NodeOf<"sum">): Evaluate {
  // Of what `map` makes, without making the list.
  const isMade = of.op === "transform";
  const list = compileNode(isMade ? of.of : of);
  const body: Evaluate | undefined = isMade ? compileNode(of.body) : undefined;
  const at = isMade ? of.at : 0;
  const itemOf = (scope: Scope, item: unknown): unknown => {
    if (body === undefined) return item;
    scope.values[at] = item;
    return body(scope);
  };
  if (type === "int") {
    return (scope) => {
      const items = spentItems(scope, list);
      let total: Int = 0;
      for (const item of items) total = add(total, intItem(itemOf(scope, item)));
      return total;
    };
  }
  return (scope) => {
    const items = spentItems(scope, list);
    let total = 0;
    for (const item of items) total += doubleItem(itemOf(scope, item));
    return total;
  };
}

function doubleItem(item: unknown): number {
  if (typeof item === "number") return item;
  throw new RuleFailure("a value is no double");
}

function intItem(item: unknown): Int {
  if (typeof item === "number" || typeof item === "bigint") return item;
  throw new RuleFailure("a value is no int");
}

function compileCall({ overload: signature, args, text, texts }: NodeOf<"call">): Evaluate {
  const overload = overloadOf(signature);
  if (overload === undefined) throw new Error(`there is no function ${signature}: npm run compile`);
  const operands = args.map(compileNode);
  const call = overload.make(operands);
  if (overload.total === true) return call;
  return (scope) => {
    try {
      return call(scope);
    } catch (error) {
      if (!(error instanceof RuleFailure) || error.placed) throw error;
      const values = args.flatMap((arg, at) =>
        arg.op === "literal" ? [] : [`${texts[at]} is ${shownValue(operands[at]?.(scope))}`],
      );
      throw new RuleFailure(`${text}: ${[error.reason, ...values].join(", ")}`, true);
    }
  };
}
