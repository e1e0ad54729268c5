/** Variables and fields of a rule: that there are such, and that those are there when they are read. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { FieldRule } from "../../../../contracts/contract.ts";
import type { RuleNode } from "../../../../contracts/rules/program.ts";
import { typeName } from "../../../../contracts/rules/types.ts";
import { type Checked, type Context, fail, textOf } from "./context.ts";
import { readingOfField, typeOfField } from "./field-types.ts";
import { type Place, placeOf } from "./guards.ts";

export function checkVariable(ast: ASTNode, name: string, { variables }: Context): Checked {
  const at = variables.findLastIndex((each) => each.name === name);
  const known = variables[at];
  if (known === undefined)
    return fail(ast, `there is no ${name}: a rule reads event, and what a pass over a list names`);
  return { node: { op: "variable", at }, type: known.type };
}

export function checkField(ast: ASTNode, [holder, name]: readonly [ASTNode, string], context: Context): Checked {
  const { node: of, field } = memberOf(ast, holder, name, context);
  const place = placeIn(ast, context);
  const text = textOf(ast);
  if (!field.required && (place === undefined || !context.present.has(place)))
    fail(ast, `it reads ${text}, which may be absent: ask has(${text}) first`);
  note(place, context);
  const node: RuleNode = { op: "field", of, name, reading: readingOfField(field), text };
  return { node, type: typeOfField(field), accepted: field.kind === "string" ? field.accepted : undefined };
}

export function checkHas(ast: ASTNode, asked: ASTNode, context: Context): Checked {
  if (asked.op !== ".") return fail(ast, "has asks for a field: has(event.field)");
  const [holder, name] = asked.args;
  const { node: of } = memberOf(asked, holder, name, context);
  note(placeIn(asked, context), context);
  return { node: { op: "has", of, name }, type: "bool" };
}

function memberOf(
  ast: ASTNode,
  holder: ASTNode,
  name: string,
  context: Context,
): { readonly node: RuleNode; readonly field: FieldRule } {
  const { node, type } = context.check(holder, context);
  if (typeof type === "string" || !("fields" in type))
    return fail(ast, `${textOf(holder)} is ${typeName(type)}, which has no field ${name}`);
  const field = type.fields.find((each) => each.name === name);
  if (field !== undefined) return { node, field };
  const known = type.fields.map((each) => each.name).join(", ");
  return fail(ast, `it reads ${textOf(ast)}, which is not a field of the contract; there are ${known}`);
}

function placeIn(ast: ASTNode, { variables }: Context): Place | undefined {
  return placeOf(
    ast,
    variables.map(({ name }) => name),
  );
}

/** Keeps the longest paths only: for a rule that reads `event.a.b`, the rest of `event.a` says nothing. */
function note(place: Place | undefined, { reads }: Context): void {
  const [variable, ...path] = place?.split(".") ?? [];
  if (variable !== "0" || path.length === 0) return;
  reads.delete(path.slice(0, -1).join("."));
  reads.set(path.join("."), path);
}
