/**
 * CEL with types: an expression's text to the program that the gateway runs, or what is wrong with it and where. The library
 * reads the text. What its trees mean is decided here, by the same table of functions that runs them: the library's own
 * evaluator keeps times to milliseconds, runs `matches` in a time that each character can double, and takes ten times as long
 * as the closures (docs/benchmarks.md).
 */
import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import type { FieldRule } from "../../../../contracts/contract.ts";
import type { RuleProgram } from "../../../../contracts/rules/program.ts";
import { typeName } from "../../../../contracts/rules/types.ts";
import { checkCall, checkMatches, integerNode } from "./calls.ts";
import { checkIndex, checkList, checkMap, checkPass, checkSize, checkSum, PASSES } from "./collections.ts";
import { type Checked, type Context, fail, RuleProblem, textOf } from "./context.ts";
import { checkField, checkHas, checkVariable } from "./fields.ts";
import { checkBool, checkConditional, checkEquality, checkLogical, checkMembership } from "./logic.ts";

/** Bounds what a rule costs by itself; what it costs for a long list, its steps bound (`contracts/rules/scope.ts`). */
const environment = new Environment({ limits: { maxAstNodes: 2_000, maxDepth: 60 } });

/** Throws a RuleProblem. `fields` are required only where every event has them. */
export function checkRule(expression: string, fields: readonly FieldRule[]): RuleProgram {
  const context: Context = {
    expression,
    variables: [{ name: "event", type: { fields } }],
    present: new Set(),
    reads: new Map(),
    check,
  };
  const { node, type } = check(parse(expression), context);
  if (type !== "bool") throw new RuleProblem(`it gives ${typeName(type)}, and a rule gives true or false`, 0);
  return { body: node, reads: [...context.reads.values()] };
}

function parse(expression: string): ASTNode {
  try {
    return environment.parse(expression).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new RuleProblem(`it is not valid CEL: ${error.summary}`, error.range?.start ?? 0);
  }
}

function check(ast: ASTNode, context: Context): Checked {
  switch (ast.op) {
    case "value":
      return checkLiteral(ast, ast.args);
    case "id":
      return checkVariable(ast, ast.args, context);
    case ".":
      return checkField(ast, ast.args, context);
    case "&&":
    case "||":
      return checkLogical(ast.op, ast.args, context);
    case "!_":
      return { node: { op: "not", of: checkBool(ast.args, context) }, type: "bool" };
    case "-_":
      return checkCall(ast, ast.op, [ast.args], context);
    case "?:":
      return checkConditional(ast.args, context);
    case "==":
    case "!=":
      return checkEquality(ast, ast.op, ast.args, context);
    case "in":
      return checkMembership(ast, ast.args, context);
    case "list":
      return checkList(ast.args, context);
    case "map":
      return checkMap(ast, ast.args, context);
    case "[]":
      return checkIndex(ast, ast.args, context);
    case "call":
      return checkFunction(ast, ast.args[0], ast.args[1], context);
    case "rcall":
      return checkMethod(ast, ast.args[0], ast.args[1], ast.args[2], context);
    case ".?":
    case "[?]":
      return fail(ast, "optional access is not supported: ask has(...) first");
    default:
      return checkCall(ast, ast.op, ast.args, context);
  }
}

function checkLiteral(ast: ASTNode, value: unknown): Checked {
  if (typeof value === "bigint") return { node: integerNode(value), type: "int" };
  if (typeof value === "string") return { node: { op: "literal", value }, type: "string" };
  if (typeof value === "boolean") return { node: { op: "literal", value }, type: "bool" };
  if (typeof value === "number") return { node: { op: "literal", value }, type: "double" };
  if (value === null)
    return fail(ast, "null is absence to a rule: write has(event.field), or !has(event.field) for a null");
  return fail(ast, `${textOf(ast)}: a contract has no unsigned integers and no bytes`);
}

function checkFunction(ast: ASTNode, name: string, args: readonly ASTNode[], context: Context): Checked {
  const [first, second] = args;
  if (first !== undefined && args.length === 1) {
    if (name === "has") return checkHas(ast, first, context);
    if (name === "size") return checkSize(ast, name, first, context);
    if (name === "sum") return checkSum(ast, first, context);
  }
  if (name === "matches" && first !== undefined && second !== undefined && args.length === 2)
    return checkMatches(ast, first, second, context);
  return checkCall(ast, name, args, context);
}

function checkMethod(
  ast: ASTNode,
  name: string,
  receiver: ASTNode,
  args: readonly ASTNode[],
  context: Context,
): Checked {
  const pass = PASSES.get(name);
  if (pass !== undefined) return checkPass(ast, pass, receiver, args, context);
  const [first] = args;
  if (name === "matches" && first !== undefined && args.length === 1)
    return checkMatches(ast, receiver, first, context);
  if (name === "size" && args.length === 0) return checkSize(ast, ".size", receiver, context);
  if (name.startsWith("get") && args.length > 0)
    return fail(ast, `${name} has no time zone here: a rule's times are UTC, so leave it out`);
  return checkCall(ast, `.${name}`, [receiver, ...args], context);
}
