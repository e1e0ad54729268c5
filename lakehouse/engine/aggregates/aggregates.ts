import { isUnsupported, type Unsupported, unsupported } from "../expressions/vector.ts";
import type { Aggregate, IrType } from "../ir/ir.ts";
import { isExact, isScalar, sqlName } from "../ir/ir-types.ts";
import type { Accumulator, AccumulatorBounds } from "./accumulator.ts";
import { createArgExtreme } from "./arg-extremes.ts";
import { createBoolAggregate, createCount, createCountIf } from "./counts.ts";
import { createCountDistinct, createDistinctValues } from "./distinct.ts";
import { createExtreme } from "./extremes.ts";
import { createFloatSum } from "./float-sums.ts";
import { createExactAverage, createExactSum } from "./sums.ts";

/** Makes the state of an aggregate. */
export type AccumulatorFactory = (bounds: AccumulatorBounds) => Accumulator;
type Binder = (args: readonly IrType[], type: IrType, order?: Aggregate["order"]) => AccumulatorFactory | Unsupported;

const bindSum: Binder = ([arg], type) => {
  if (arg?.kind === "float64") return () => createFloatSum(false);
  if (arg !== undefined && isExact(arg) && isExact(type)) return () => createExactSum(type);
  return unsupported(`sum of ${arg === undefined ? "nothing" : sqlName(arg)} is not supported`);
};

const bindAverage: Binder = ([arg]) => {
  if (arg?.kind === "float64") return () => createFloatSum(true);
  if (arg?.kind === "decimal") return () => createExactAverage(arg.scale);
  if (arg !== undefined && isExact(arg)) return () => createExactAverage(0);
  return unsupported(`avg of ${arg === undefined ? "nothing" : sqlName(arg)} is not supported`);
};

function extremeBinder(greatest: boolean): Binder {
  return (args, type) =>
    args.length === 1 && isScalar(type)
      ? () => createExtreme(greatest, type)
      : unsupported(`${greatest ? "max" : "min"} of this is not supported`);
}

function argBinder(greatest: boolean, ofOne: boolean): Binder {
  return (args) => {
    const fits = args.length >= 2 && (!ofOne || args.length === 2) && args.every(isScalar);
    const parts = args.slice(1).map(() => ({ greatestWins: greatest, nullIsGreatest: true }));
    return fits
      ? () => createArgExtreme(parts, args, ofOne ? 2 : 1)
      : unsupported(`arg_${greatest ? "max" : "min"} of (${args.map(sqlName).join(", ")}) is not supported`);
  };
}

/** A value of the first row by the order: `row_number() = 1`. */
const bindFirst: Binder = (args, _, order = []) =>
  args.every(isScalar) && args.length === order.length + 1
    ? () =>
        createArgExtreme(
          order.map(({ descending, nullsFirst }) => ({
            greatestWins: descending,
            nullIsGreatest: descending === nullsFirst,
          })),
          args,
          0,
        )
    : unsupported(`row_number() = 1 over a column of type ${args.map(sqlName).join(", ")} is not supported`);

/**
 * Every aggregate that a model may use, by DuckDB's bound name: those whose result does not depend on the order of rows, and
 * whose partial results merge. The compiler binds with this same table.
 */
const binders: ReadonlyMap<string, Binder> = new Map<string, Binder>([
  ["count_star", (_, type) => () => createCount("rows", type)],
  ["count", (args, type) => () => createCount(args.length === 0 ? "rows" : "values", type)],
  ["count_if", (_, type) => () => createCountIf(type)],
  ["countif", (_, type) => () => createCountIf(type)],
  ["sum", bindSum],
  ["avg", bindAverage],
  ["mean", bindAverage],
  ["min", extremeBinder(false)],
  ["max", extremeBinder(true)],
  ...["arg_min", "min_by", "argmin"].map((name) => [name, argBinder(false, true)] as const),
  ...["arg_max", "max_by", "argmax"].map((name) => [name, argBinder(true, true)] as const),
  // By a row of several values: the compiler's names.
  ["arg_min of row", argBinder(false, false)],
  ["arg_max of row", argBinder(true, false)],
  ["first by order", bindFirst],
  ["bool_and", () => () => createBoolAggregate(0)],
  ["bool_or", () => () => createBoolAggregate(1)],
]);

/** Aggregates that are the same of all values and of the distinct ones. */
const INDIFFERENT: ReadonlySet<string> = new Set(["min", "max", "bool_and", "bool_or"]);

/** A maker of the aggregate's state, or why that aggregate or overload is not supported. */
export function bindAggregate(
  name: string,
  args: readonly IrType[],
  type: IrType,
  distinct: boolean,
  order?: Aggregate["order"],
): AccumulatorFactory | Unsupported {
  const binder = binders.get(name);
  if (binder === undefined) return unsupported(`the aggregate ${name} is not supported`);
  const make = binder(args, type, order);
  const [arg] = args;
  if (isUnsupported(make) || !distinct || arg === undefined || INDIFFERENT.has(name)) return make;
  if (args.length > 1 || !isScalar(arg)) return unsupported(`DISTINCT of a ${sqlName(arg)} is not supported`);
  if (name === "count") return (bounds) => createCountDistinct(type, bounds);
  return (bounds) => createDistinctValues(() => make(bounds), bounds);
}
