/** Column pruning: scans list only what is read above them. DuckDB's unoptimised plan reads all of a subquery's `*`. */
import { columnsUsed, mapChildren } from "../../../lakehouse/engine/expressions/columns-used.ts";
import type { Expression, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";

/** A plan with fewer columns; `kept[i]` is the old index of its column i, ascending. */
interface Pruned {
  readonly plan: Plan;
  readonly kept: readonly number[];
}

/** The same rows and columns from narrower scans. */
export function pruneColumns(plan: Plan): Plan {
  const all = outputTypes(plan).map((_, index) => index);
  return exactly(prune(plan, new Set(all)), all, plan);
}

function prune(plan: Plan, needed: ReadonlySet<number>): Pruned {
  switch (plan.node) {
    case "scan": {
      const kept = ascending(needed);
      return { plan: { ...plan, columns: plan.columns.filter((_, index) => needed.has(index)) }, kept };
    }
    case "filter": {
      const { plan: input, kept } = prune(plan.input, union(needed, columnsUsed(...plan.conditions)));
      return { plan: { ...plan, input, conditions: plan.conditions.map(renumber(kept)) }, kept };
    }
    case "project": {
      const kept = ascending(needed);
      const expressions = plan.expressions.filter((_, index) => needed.has(index));
      const below = prune(plan.input, columnsUsed(...expressions));
      return { plan: { ...plan, input: below.plan, expressions: expressions.map(renumber(below.kept)) }, kept };
    }
    case "aggregate": {
      const isKept = (index: number) => needed.has(plan.groups.length + index);
      const aggregates = plan.aggregates.filter((_, index) => isKept(index));
      const read = aggregates.flatMap(({ args, filter }) => (filter === null ? args : [...args, filter]));
      const below = prune(plan.input, columnsUsed(...plan.groups, ...read));
      const move = renumber(below.kept);
      return {
        plan: {
          ...plan,
          input: below.plan,
          groups: plan.groups.map(move),
          aggregates: aggregates.map((aggregate) => ({
            ...aggregate,
            args: aggregate.args.map(move),
            filter: aggregate.filter === null ? null : move(aggregate.filter),
          })),
        },
        kept: outputTypes(plan).flatMap((_, index) =>
          index < plan.groups.length || isKept(index - plan.groups.length) ? [index] : [],
        ),
      };
    }
    case "distinct": {
      const all = outputTypes(plan).map((_, index) => index);
      return { plan: { ...plan, input: exactly(prune(plan.input, new Set(all)), all, plan.input) }, kept: all };
    }
    case "order": {
      const { plan: input, kept } = prune(
        plan.input,
        union(needed, columnsUsed(...plan.by.map((key) => key.expression))),
      );
      const move = renumber(kept);
      return {
        plan: { ...plan, input, by: plan.by.map((key) => ({ ...key, expression: move(key.expression) })) },
        kept,
      };
    }
    case "limit": {
      const { plan: input, kept } = prune(plan.input, needed);
      return { plan: { ...plan, input }, kept };
    }
    case "union": {
      const kept = ascending(needed);
      return {
        plan: { ...plan, inputs: plan.inputs.map((input) => exactly(prune(input, needed), kept, input)) },
        kept,
      };
    }
    case "join":
      return pruneJoin(plan, needed);
    case "unnest": {
      const width = outputTypes(plan.input).length;
      const passed = ascending(needed).filter((index) => index < width);
      const { plan: input, kept } = prune(plan.input, union(new Set(passed), columnsUsed(plan.list)));
      return { plan: { ...plan, input, list: renumber(kept)(plan.list) }, kept: [...kept, width] };
    }
  }
}

function pruneJoin(plan: Extract<Plan, { node: "join" }>, needed: ReadonlySet<number>): Pruned {
  const width = outputTypes(plan.left).length;
  const used = union(needed, plan.residual === null ? new Set() : columnsUsed(plan.residual));
  const side = (keys: readonly Expression[], from: number, to: number) =>
    union(
      columnsUsed(...keys),
      new Set([...used].filter((index) => index >= from && index < to).map((index) => index - from)),
    );
  const left = prune(
    plan.left,
    side(
      plan.keys.map((key) => key.left),
      0,
      width,
    ),
  );
  // The mark stands where the right side's columns would begin.
  const fromRight = plan.kind === "mark" ? new Set<number>() : side([], width, Number.POSITIVE_INFINITY);
  const right = prune(plan.right, union(columnsUsed(...plan.keys.map((key) => key.right)), fromRight));
  const both = [...left.kept, ...right.kept.map((index) => index + width)];
  return {
    plan: {
      ...plan,
      left: left.plan,
      right: right.plan,
      keys: plan.keys.map((key) => ({ left: renumber(left.kept)(key.left), right: renumber(right.kept)(key.right) })),
      residual: plan.residual === null ? null : renumber(both)(plan.residual),
    },
    kept:
      plan.kind === "inner" || plan.kind === "left" ? both : [...left.kept, ...(plan.kind === "mark" ? [width] : [])],
  };
}

/** `pruned` with exactly the columns `wanted` of the old plan: through a projection when it kept more. */
function exactly(pruned: Pruned, wanted: readonly number[], old: Plan): Plan {
  if (pruned.kept.length === wanted.length) return pruned.plan;
  const types = outputTypes(old);
  const expressions = wanted.map((index): Expression => {
    const type = types[index];
    if (type === undefined) throw new RangeError(`the plan has no column ${index}`);
    return { node: "column", index: pruned.kept.indexOf(index), type };
  });
  return { node: "project", input: pruned.plan, expressions };
}

/** References to old columns as references to the kept ones. */
function renumber(kept: readonly number[]): (expression: Expression) => Expression {
  const positions = new Map(kept.map((old, index) => [old, index]));
  const move = (expression: Expression): Expression => {
    if (expression.node !== "column") return mapChildren(expression, move);
    const index = positions.get(expression.index);
    if (index === undefined) throw new RangeError(`column ${expression.index} was pruned although it is read`);
    return { ...expression, index };
  };
  return move;
}

function union(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...a, ...b]);
}

function ascending(indices: ReadonlySet<number>): readonly number[] {
  return [...indices].sort((a, b) => a - b);
}
