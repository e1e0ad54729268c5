import type { Expression } from "../ir/ir.ts";

/** The direct subexpressions; of a lambda the list and the captures, since its body counts its own columns. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.node) {
    case "column":
    case "constant":
      return [];
    case "call":
    case "and":
    case "or":
    case "coalesce":
      return expression.args;
    case "case":
      return [...expression.branches.flatMap(({ when, result }) => [when, result]), expression.otherwise];
    case "cast":
      return [expression.arg];
    case "lambda":
      return [expression.list, ...expression.captures];
  }
}

/** The same expression with `map` applied to each direct subexpression (see `childrenOf`). */
export function mapChildren(expression: Expression, map: (child: Expression) => Expression): Expression {
  switch (expression.node) {
    case "column":
    case "constant":
      return expression;
    case "call":
    case "and":
    case "or":
    case "coalesce":
      return { ...expression, args: expression.args.map(map) };
    case "case":
      return {
        ...expression,
        branches: expression.branches.map(({ when, result }) => ({ when: map(when), result: map(result) })),
        otherwise: map(expression.otherwise),
      };
    case "cast":
      return { ...expression, arg: map(expression.arg) };
    case "lambda":
      return { ...expression, list: map(expression.list), captures: expression.captures.map(map) };
  }
}

/** The input columns that an expression reads. */
export function columnsUsed(...expressions: readonly Expression[]): ReadonlySet<number> {
  const used = new Set<number>();
  const visit = (expression: Expression): void => {
    if (expression.node === "column") used.add(expression.index);
    for (const child of childrenOf(expression)) visit(child);
  };
  for (const expression of expressions) visit(expression);
  return used;
}
