/** What a record rule reads of an event, as far as its text tells: `event.before.status`, up to a call or a macro's variable. */
import type { FieldRule } from "../../../contracts/contract.ts";

/** A path in a rule that leads to no field, or to one that may be absent without the rule asking `has` of it. */
export type PathProblem =
  | { readonly kind: "unknown"; readonly path: string }
  | { readonly kind: "unguarded"; readonly path: string };

/**
 * The paths that a rule should not read. An optional field that no `has(...)` of the expression names makes the rule fail for
 * every event without it: admission gives rules an event without its nulls.
 */
export function pathProblems(expression: string, fields: readonly FieldRule[]): PathProblem[] {
  const text = withoutTexts(expression);
  const guarded = new Set([...text.matchAll(/\bhas\(\s*event\.([\w.]+)\s*\)/g)].map((match) => match[1] ?? ""));
  const problems = new Map<string, PathProblem>();
  // The lookahead leaves out a method's name: `event.items.map(` reads event.items.
  for (const match of text.matchAll(/\bevent((?:\.[A-Za-z_]\w*(?!\w*\s*\())+)/g)) {
    const names = (match[1] ?? "").slice(1).split(".");
    const problem = problemAt(names, fields, guarded);
    if (problem !== null) problems.set(problem.path, problem);
  }
  return [...problems.values()];
}

function problemAt(
  names: readonly string[],
  fields: readonly FieldRule[],
  guarded: ReadonlySet<string>,
): PathProblem | null {
  let level: readonly FieldRule[] | undefined = fields;
  let path = "";
  for (const name of names) {
    path = path === "" ? name : `${path}.${name}`;
    const field: FieldRule | undefined = level?.find((candidate) => candidate.name === name);
    if (field === undefined) return { kind: "unknown", path };
    if (!field.required && !guarded.has(path)) return { kind: "unguarded", path };
    level = field.fields;
  }
  return null;
}

/** The expression with its text literals emptied: what stands in quotes is no path. */
function withoutTexts(expression: string): string {
  return expression.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "''");
}
