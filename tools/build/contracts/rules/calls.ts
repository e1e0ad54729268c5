/** Functions, methods and operators of a rule: which one of `overloads.ts` is meant. */
import type { ASTNode } from "@marcbachmann/cel-js";
import { patternProblem } from "../../../../contracts/patterns/pattern.ts";
import { compileNode } from "../../../../contracts/rules/evaluate.ts";
import { RuleFailure } from "../../../../contracts/rules/failure.ts";
import { OVERLOADS, signatureOf } from "../../../../contracts/rules/overloads.ts";
import type { RuleNode } from "../../../../contracts/rules/program.ts";
import { MAX_STEPS } from "../../../../contracts/rules/scope.ts";
import { commonType, isScalar, itemType, type RuleType, typeName } from "../../../../contracts/rules/types.ts";
import { type Checked, type Context, fail, textOf } from "./context.ts";

/** A method has a point before its name, and its receiver first. */
export function checkCall(ast: ASTNode, name: string, args: readonly ASTNode[], context: Context): Checked {
  const checked = args.map((arg) => context.check(arg, context));
  const [left, right] = checked;
  if (name === "+" && left !== undefined && right !== undefined && itemType(left.type) !== undefined) {
    const type = commonType(left.type, right.type);
    if (type !== undefined) return { node: { op: "concat", sides: [left.node, right.node] }, type };
  }
  const types = checked.map(({ type }) => type);
  const overload = OVERLOADS.find(
    ({ name: each, params }) =>
      each === name && params.length === types.length && params.every((param, at) => param === types[at]),
  );
  if (overload === undefined) return noOverload(ast, name, types);
  const node = {
    op: "call",
    overload: signatureOf(overload),
    args: checked.map((each) => each.node),
    text: textOf(ast),
    texts: args.map(textOf),
  } as const;
  return { node: isScalar(overload.result) ? folded(ast, node) : node, type: overload.result };
}

/** A call of literals as its value: a text that is no time is found by the build, and one that is a time is parsed once. */
function folded(ast: ASTNode, node: RuleNode & { readonly op: "call" }): RuleNode {
  if (!node.args.every(({ op }) => op === "literal" || op === "integer")) return node;
  try {
    const value = compileNode(node)({ values: [], steps: MAX_STEPS });
    if (typeof value === "bigint") return integerNode(value);
    // JSON has no infinity.
    if (typeof value === "number") return Number.isFinite(value) ? { op: "literal", value } : node;
    return typeof value === "string" || typeof value === "boolean" ? { op: "literal", value } : node;
  } catch (error) {
    if (error instanceof RuleFailure) return fail(ast, error.reason);
    throw error;
  }
}

export function integerNode(value: bigint): RuleNode {
  const number = Number(value);
  return Number.isSafeInteger(number) ? { op: "literal", value: number } : { op: "integer", digits: String(value) };
}

export function checkMatches(ast: ASTNode, text: ASTNode, pattern: ASTNode, context: Context): Checked {
  const of = context.check(text, context);
  if (of.type !== "string") return noOverload(ast, ".matches", [of.type, "string"]);
  if (pattern.op !== "value" || typeof pattern.args !== "string")
    return fail(pattern, "the pattern of matches stands in the rule as a text, so that the build can check it");
  const problem = patternProblem(pattern.args, "re2");
  if (problem !== undefined) return fail(pattern, `matches ${pattern.args}: ${problem}`);
  return { node: { op: "matches", of: of.node, pattern: pattern.args }, type: "bool" };
}

export function noOverload(ast: ASTNode, name: string, types: readonly RuleType[]): never {
  const [first, ...rest] = types.map(typeName);
  const isOperator = !/^\.?\w/.test(name) || name === "in";
  let written = `${name}(${[first, ...rest].join(", ")})`;
  if (name.startsWith(".")) written = `${first}${name}(${rest.join(", ")})`;
  else if (isOperator && rest.length === 1) written = `${first} ${name} ${rest[0]}`;
  return fail(ast, `${textOf(ast)}: there is no ${written}${remedyFor(name, types)}`);
}

function remedyFor(name: string, types: readonly RuleType[]): string {
  const between = (a: RuleType, b: RuleType): boolean => types.length === 2 && types.includes(a) && types.includes(b);
  if (between("int", "double")) return ": CEL does not mix the two; write double(...) around the int, or 1.0 for 1";
  if (between("timestamp", "string")) return ": write timestamp('2026-01-31T12:00:00Z') for a time";
  if (between("duration", "string")) return ": write duration('1h30m')";
  const others = OVERLOADS.filter((each) => each.name === name).map(({ params }) => params.join(", "));
  if (others.length === 0) return "";
  return `; ${name.replace(/^\./, "")} takes ${others.join(", or ")}`;
}
