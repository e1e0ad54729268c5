/** Aggregates of DuckDB's plan to IR. `undefined` means that a problem was reported. */
import { bindAggregate } from "../../../lakehouse/engine/aggregates/aggregates.ts";
import { isUnsupported } from "../../../lakehouse/engine/expressions/vector.ts";
import type { Aggregate, Expression, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { atTheEdge, type DecodeContext, nativeAt, reportAt, typeOf } from "./decode-context.ts";
import { decodeAll, decodeExpression } from "./decode-expression.ts";
import { isObject, type JsonObject, objectsAt, textAt } from "./json.ts";
import { uniqueColumns } from "./lineage.ts";

/** The value of the row with the smallest or greatest order. */
const ARG_EXTREMES: Readonly<Record<string, "arg_min" | "arg_max">> = {
  arg_min: "arg_min",
  min_by: "arg_min",
  argmin: "arg_min",
  arg_max: "arg_max",
  max_by: "arg_max",
  argmax: "arg_max",
};

/** An aggregate over the rows of `input`, grouped by `groups`. */
export function decodeAggregate(
  json: JsonObject,
  input: Plan | undefined,
  groups: readonly Expression[],
  context: DecodeContext,
): Aggregate | undefined {
  const written = textAt(json, "name");
  const at = context.source.call(written);
  const { name, children } = withOrderSpread(written, objectsAt(json, "children"));
  const args = decodeAll(children, context);
  const filterJson = json["filter"];
  const filter: Expression | null | undefined = isObject(filterJson) ? decodeExpression(filterJson, context) : null;
  const type = typeOf(json, context);
  if (args === undefined || filter === undefined || type === undefined) return undefined;
  if (isObject(json["order_bys"])) return nativeAt(context, at, `the edge has no ORDER BY inside ${written}`);
  const distinct = textAt(json, "aggregate_type") === "DISTINCT";
  const bound = bindAggregate(
    name,
    args.map((arg) => arg.type),
    type,
    distinct,
  );
  if (isUnsupported(bound)) {
    return nativeAt(context, at, atTheEdge(bound.unsupported));
  }
  const extreme = ARG_EXTREMES[written];
  if (extreme !== undefined && input !== undefined && !isTotal(args, input, groups, context)) {
    return reportAt(
      context,
      at,
      `${written} keeps the value of any of the rows that tie`,
      `end the order with the value: ${extreme}(value, row(order, value))`,
    );
  }
  return { name, args, distinct, filter, type };
}

/** `arg_max(x, row(a, b))` as an aggregate of x, a and b: the order is compared part by part. */
function withOrderSpread(name: string, children: readonly JsonObject[]) {
  const [value, order] = children;
  const extreme = ARG_EXTREMES[name];
  const row = order?.["name"];
  if (extreme === undefined || value === undefined || order === undefined || children.length !== 2)
    return { name, children };
  return row === "row" || row === "struct_pack"
    ? { name: `${extreme} of row`, children: [value, ...objectsAt(order, "children")] }
    : { name, children };
}

/** Whether rows that tie in the order have one value: it is part of the order, or the order tells all rows of a group apart. */
function isTotal(
  [value, ...order]: readonly Expression[],
  input: Plan,
  groups: readonly Expression[],
  { keyOf }: DecodeContext,
): boolean {
  const text = JSON.stringify(value);
  if (order.some((part) => JSON.stringify(part) === text)) return true;
  const told = new Set([...order, ...groups].flatMap((part) => (part.node === "column" ? [part.index] : [])));
  return uniqueColumns(input, keyOf)?.every((index) => told.has(index)) ?? false;
}
