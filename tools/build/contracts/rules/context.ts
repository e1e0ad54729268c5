/** What the checks of a rule's parts share: where they are in the expression, and what is known there. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { RuleNode } from "../../../../contracts/rules/program.ts";
import type { RuleType } from "../../../../contracts/rules/types.ts";
import { factsOf, type Place } from "./guards.ts";

/** What is wrong with a rule, and at which offset in its expression. */
export class RuleProblem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** A part of an expression: the program that it becomes, and its type. */
export interface Checked {
  readonly node: RuleNode;
  readonly type: RuleType;
  /** Of a field with accepted values: it has no others. */
  readonly accepted?: readonly string[] | undefined;
}

export interface Context {
  readonly expression: string;
  /** The event, then the items of the passes around this part, with their types. */
  readonly variables: readonly { readonly name: string; readonly type: RuleType }[];
  /** Optional fields that are there whenever this part is evaluated and its result counts. */
  readonly present: ReadonlySet<Place>;
  /** The fields of the event that were read so far, by path. */
  readonly reads: Map<string, readonly string[]>;
  check(ast: ASTNode, context: Context): Checked;
}

export function fail(ast: ASTNode, message: string): never {
  throw new RuleProblem(message, ast.start);
}

/** The part as the rule says it, on one line. The parser leaves out brackets around a part's ends. */
export function textOf(ast: ASTNode): string {
  let { start, end } = ast;
  for (let open = unclosed(ast.input.slice(start, end)); open !== 0; open = unclosed(ast.input.slice(start, end))) {
    const at = open > 0 ? ast.input.indexOf(")", end) : ast.input.lastIndexOf("(", start - 1);
    if (at < 0) break;
    if (open > 0) end = at + 1;
    else start = at;
  }
  return ast.input.slice(start, end).replaceAll(/\s+/g, " ");
}

/** How many brackets are open at the end of a text; below zero: were never opened. */
function unclosed(text: string): number {
  const plain = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "");
  let depth = 0;
  let lowest = 0;
  for (const char of plain) {
    if (char === "(") depth++;
    else if (char === ")") depth--;
    lowest = Math.min(lowest, depth);
  }
  return lowest < 0 ? lowest : depth;
}

/** Where `asked` is known to be true, or false. */
export function where(context: Context, asked: ASTNode, truth: boolean): Context {
  const { whenTrue, whenFalse } = factsOf(
    asked,
    context.variables.map(({ name }) => name),
  );
  return { ...context, present: context.present.union(truth ? whenTrue : whenFalse) };
}
