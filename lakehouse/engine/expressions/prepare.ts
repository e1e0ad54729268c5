import type { Column } from "../columns/column.ts";
import { requireKind } from "../columns/column-kind.ts";
import { ModelMismatchError } from "../ir/errors.ts";
import type { Expression } from "../ir/ir.ts";
import { bindCast } from "./casts.ts";
import { prepareCase, prepareCoalesce, prepareConjunction } from "./conditional.ts";
import { constantColumn } from "./constant-column.ts";
import { bindFunction } from "./functions.ts";
import { prepareListLambda } from "./list-lambda.ts";
import { trueRows } from "./row-selection.ts";
import { argument, isUnsupported, type Kernel, type Rows, type Unsupported } from "./vector.ts";

/** A prepared expression: rows to one column, as long as they are. */
export type Evaluator = (rows: Rows) => Column;

/**
 * Makes the closure of an expression: once a run, so that batches pay for no dispatch. Throws `ModelMismatchError` for a
 * function this code does not know, which a compiled model of this version cannot contain. The evaluator throws
 * `ModelValueError` where DuckDB would refuse a value.
 */
export function prepare(expression: Expression): Evaluator {
  switch (expression.node) {
    case "column": {
      const { index } = expression;
      return (rows) => argument(rows.columns, index);
    }
    case "constant": {
      const column = constantColumn(expression);
      return (rows) => column(rows.length);
    }
    case "call":
      return applied(required(bindFunction(expression)), expression.args);
    case "cast":
      return applied(required(bindCast(expression.arg.type, expression.type, expression.lenient)), [expression.arg]);
    case "and":
    case "or":
      return prepareConjunction(expression, prepare);
    case "case":
      return prepareCase(expression, prepare);
    case "coalesce":
      return prepareCoalesce(expression, prepare);
    case "lambda":
      return prepareListLambda(expression, prepare);
  }
}

/** A prepared condition: the rows where it is true. */
export function prepareCondition(expression: Expression): (rows: Rows) => Int32Array {
  const evaluate = prepare(expression);
  return (rows) => {
    const { values, nulls } = requireKind(evaluate(rows), "bool");
    return trueRows(values, nulls, rows.length);
  };
}

function applied(kernel: Kernel, args: readonly Expression[]): Evaluator {
  const evaluators = args.map(prepare);
  return (rows) =>
    kernel(
      evaluators.map((evaluate) => evaluate(rows)),
      rows.length,
    );
}

function required<T extends object>(bound: T | Unsupported): T {
  if (isUnsupported(bound)) throw new ModelMismatchError(`the model does not fit this version: ${bound.unsupported}`);
  return bound;
}
