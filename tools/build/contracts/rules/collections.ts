/** Lists and maps of a rule, and the passes over them. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { RuleNode } from "../../../../contracts/rules/program.ts";
import { commonType, isScalar, itemType, type RuleType, typeName } from "../../../../contracts/rules/types.ts";
import { checkCall, noOverload } from "./calls.ts";
import { type Checked, type Context, fail, textOf, where } from "./context.ts";
import { checkBool } from "./logic.ts";

type Sides = readonly [ASTNode, ASTNode];

export function checkList(items: readonly ASTNode[], context: Context): Checked {
  const { nodes, type } = checkItems(items, context);
  return { node: { op: "list", items: nodes }, type: { list: type } };
}

function checkItems(
  items: readonly ASTNode[],
  context: Context,
): { readonly nodes: readonly RuleNode[]; readonly type: RuleType } {
  let known: RuleType = "nothing";
  const nodes = items.map((item) => {
    const { node, type } = context.check(item, context);
    const common = commonType(known, type);
    if (common === undefined)
      return fail(item, `a list of ${typeName(known)} has no ${typeName(type)}: its items are of one type`);
    known = common;
    return node;
  });
  return { nodes, type: known };
}

export function checkMap(ast: ASTNode, entries: readonly Sides[], context: Context): Checked {
  const keys = checkItems(
    entries.map(([key]) => key),
    context,
  );
  const values = checkItems(
    entries.map(([, value]) => value),
    context,
  );
  if (keys.type === "double" || (keys.type !== "nothing" && !isScalar(keys.type)))
    return fail(ast, "the keys of a map are texts, integers, truth values or times");
  const pairs = keys.nodes.flatMap((key, at) => {
    const value = values.nodes[at];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { node: { op: "map", entries: pairs }, type: { key: keys.type, value: values.type } };
}

export function checkIndex(ast: ASTNode, [left, right]: Sides, context: Context): Checked {
  const of = context.check(left, context);
  const index = context.check(right, context);
  const node: RuleNode = { op: "index", of: of.node, index: index.node, text: textOf(ast) };
  if (typeof of.type !== "string") {
    if ("fields" in of.type) return fail(ast, `write ${textOf(left)}.field to read a field`);
    if ("list" in of.type && index.type === "int") return { node, type: of.type.list };
    if ("key" in of.type && commonType(of.type.key, index.type) !== undefined) return { node, type: of.type.value };
  }
  return noOverload(ast, "[]", [of.type, index.type]);
}

export function checkSize(ast: ASTNode, name: "size" | ".size", of: ASTNode, context: Context): Checked {
  const { node, type } = context.check(of, context);
  if (typeof type !== "string" && !("fields" in type)) return { node: { op: "length", of: node }, type: "int" };
  return checkCall(ast, name, [of], context);
}

export function checkSum(ast: ASTNode, of: ASTNode, context: Context): Checked {
  const { node, type } = context.check(of, context);
  const item = itemType(type);
  if (item !== "int" && item !== "double") return noOverload(ast, "sum", [type]);
  return { node: { op: "sum", of: node, type: item }, type: item };
}

export type PassOp = "all" | "exists" | "existsOne" | "filter" | "transform";

/** By CEL's name of the macro. */
export const PASSES: ReadonlyMap<string, PassOp> = new Map([
  ["all", "all"],
  ["exists", "exists"],
  ["exists_one", "existsOne"],
  ["filter", "filter"],
  ["map", "transform"],
]);

export function checkPass(
  ast: ASTNode,
  op: PassOp,
  receiver: ASTNode,
  [variable, asked, made, ...others]: readonly ASTNode[],
  context: Context,
): Checked {
  const of = context.check(receiver, context);
  const item = itemType(of.type);
  const text = textOf(receiver);
  if (item === undefined) return fail(receiver, `${text} is ${typeName(of.type)}, and no list`);
  const isWritten = others.length === 0 && (made === undefined || op === "transform");
  if (variable?.op !== "id" || variable.args === "event" || asked === undefined || !isWritten)
    return fail(ast, `a pass over a list is written ${text}.all(item, ...), with a name for the item`);
  const at = context.variables.length;
  const inner = { ...context, variables: [...context.variables, { name: variable.args, type: item }] };
  const pass = { of: of.node, at, text };
  if (op !== "transform") {
    const node: RuleNode = { ...pass, op, body: checkBool(asked, inner) };
    return { node, type: op === "filter" ? of.type : "bool" };
  }
  // `map(item, filter, transform)` is both, one behind the other.
  const from: RuleNode = made === undefined ? of.node : { ...pass, op: "filter", body: checkBool(asked, inner) };
  const { node: body, type } =
    made === undefined ? inner.check(asked, inner) : inner.check(made, where(inner, asked, true));
  return { node: { ...pass, op, of: from, body }, type: { list: type } };
}
