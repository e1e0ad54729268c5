/** Truth values of a rule: what is asked, joined and compared. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { RuleNode } from "../../../../contracts/rules/program.ts";
import { commonType, isComparable, itemType, type RuleType, typeName } from "../../../../contracts/rules/types.ts";
import { noOverload } from "./calls.ts";
import { type Checked, type Context, fail, textOf, where } from "./context.ts";

type Sides = readonly [ASTNode, ASTNode];

export function checkBool(ast: ASTNode, context: Context): RuleNode {
  const { node, type } = context.check(ast, context);
  if (type !== "bool") fail(ast, `${textOf(ast)} is ${typeName(type)}, and true or false is asked for`);
  return node;
}

/** A side counts only where the other one does not decide. */
export function checkLogical(op: "&&" | "||", [left, right]: Sides, context: Context): Checked {
  const undecided = op === "&&";
  const a = checkBool(left, where(context, right, undecided));
  const b = checkBool(right, where(context, left, undecided));
  return { node: { op: op === "&&" ? "and" : "or", sides: [a, b] }, type: "bool" };
}

export function checkConditional(args: readonly [ASTNode, ASTNode, ASTNode], context: Context): Checked {
  const [asked, first, second] = args;
  const condition = checkBool(asked, context);
  const yes = context.check(first, where(context, asked, true));
  const no = context.check(second, where(context, asked, false));
  const type = commonType(yes.type, no.type);
  if (type === undefined)
    return fail(second, `it gives ${typeName(yes.type)} or ${typeName(no.type)}: both sides of : are of one type`);
  return { node: { op: "if", condition, yes: yes.node, no: no.node }, type };
}

export function checkEquality(ast: ASTNode, op: "==" | "!=", [left, right]: Sides, context: Context): Checked {
  const a = context.check(left, context);
  const b = context.check(right, context);
  const type = commonType(a.type, b.type);
  if (type === undefined) return noOverload(ast, op, [a.type, b.type]);
  if (!isComparable(type)) return fail(ast, `${typeName(type)} is not compared as a whole: compare what is in it`);
  checkAccepted(left, a, b.node);
  checkAccepted(right, b, a.node);
  return { node: { op: "equal", sides: [a.node, b.node], negated: op === "!=" }, type: "bool" };
}

export function checkMembership(ast: ASTNode, [left, right]: Sides, context: Context): Checked {
  const item = context.check(left, context);
  const of = context.check(right, context);
  const members = keyType(of.type) ?? itemType(of.type);
  if (members === undefined || commonType(members, item.type) === undefined || !isComparable(item.type))
    return noOverload(ast, "in", [item.type, of.type]);
  if (of.node.op === "list") for (const node of of.node.items) checkAccepted(left, item, node);
  return { node: { op: "in", item: item.node, of: of.node }, type: "bool" };
}

function keyType(type: RuleType): RuleType | undefined {
  return typeof type !== "string" && "key" in type ? type.key : undefined;
}

/** A text that a field never has is a slip of the pen: the comparison would always have one result. */
function checkAccepted(ast: ASTNode, { accepted }: Checked, other: RuleNode): void {
  if (accepted === undefined || other.op !== "literal" || typeof other.value !== "string") return;
  if (!accepted.includes(other.value))
    fail(ast, `${textOf(ast)} is never "${other.value}": it is one of ${accepted.join(", ")}`);
}
