/** `QUALIFY row_number() OVER (PARTITION BY ... ORDER BY ...) = 1` to IR: a group per partition, with the values of its first row. */
import { bindAggregate } from "../../../lakehouse/engine/aggregates/aggregates.ts";
import { isUnsupported } from "../../../lakehouse/engine/expressions/vector.ts";
import type { Aggregate, Expression, IrType, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { outputTypes } from "../../../lakehouse/engine/operators/output-types.ts";
import { atTheEdge, type DecodeContext, nativeAt, reportAt } from "./decode-context.ts";
import { decodeAll, decodeExpression } from "./decode-expression.ts";
import { type JsonObject, objectAt, objectsAt, textAt } from "./json.ts";
import { uniqueColumns } from "./lineage.ts";

const BIGINT: IrType = { kind: "int64" };

/** The only window that the edge has: its filter is the one condition `row_number() ... = 1`. */
export function isFirstRow(filter: JsonObject, context: DecodeContext): boolean {
  const [window] = objectsAt(filter, "children");
  if (window === undefined || textAt(window, "type") !== "LOGICAL_WINDOW") return false;
  const [over, otherWindow] = objectsAt(window, "expressions");
  const [condition, otherCondition] = objectsAt(filter, "expressions");
  if (over === undefined || otherWindow !== undefined || condition === undefined || otherCondition !== undefined)
    return false;
  if (textAt(over, "type") !== "WINDOW_ROW_NUMBER" || textAt(condition, "type") !== "COMPARE_EQUAL") return false;
  const [left, right] = [
    decodeExpression(objectAt(condition, "left"), context),
    decodeExpression(objectAt(condition, "right"), context),
  ];
  return left?.node === "column" && right?.node === "constant" && right.value === "1";
}

/** The first rows of the window's partitions over `input`, laid out as the window's output: its columns, then the number 1. */
export function decodeFirstRow(window: JsonObject, input: Plan, context: DecodeContext): Plan | undefined {
  const at = context.source.first("WINDOW");
  const [over] = objectsAt(window, "expressions");
  if (over === undefined) return undefined;
  const groups = decodeAll(objectsAt(over, "partitions"), context);
  const orders = objectsAt(over, "orders");
  const parts = decodeAll(
    orders.map((order) => objectAt(order, "expression")),
    context,
  );
  if (groups === undefined || parts === undefined) return undefined;
  const types = outputTypes(input);
  const told = new Set([...parts, ...groups].flatMap((part) => (part.node === "column" ? [part.index] : [])));
  const isTold = (columns: readonly number[]) => columns.every((index) => told.has(index));
  const unique = uniqueColumns(input, context.keyOf);
  if (!(unique !== undefined && isTold(unique)) && !isTold([...types.keys()])) {
    const fix =
      "end its ORDER BY with the key of the input, or all the columns that are selected, or use arg_max(value, row(order, value))";
    return reportAt(context, at, "row_number() = 1 keeps any of the rows that tie", fix);
  }
  const order = orders.map((each) => ({
    descending: textAt(each, "type") === "DESCENDING",
    nullsFirst: textAt(each, "null_order") === "NULLS FIRST",
  }));
  const aggregates: Aggregate[] = [];
  const columns = types.map((type, index): Expression => {
    const group = groups.findIndex((each) => each.node === "column" && each.index === index);
    if (group >= 0) return { node: "column", index: group, type };
    const args: readonly Expression[] = [{ node: "column", index, type }, ...parts];
    aggregates.push({ name: "first by order", args, distinct: false, filter: null, type, order });
    return { node: "column", index: groups.length + aggregates.length - 1, type };
  });
  for (const { args, type } of aggregates) {
    const bound = bindAggregate(
      "first by order",
      args.map((arg) => arg.type),
      type,
      false,
      order,
    );
    if (isUnsupported(bound)) return nativeAt(context, at, atTheEdge(bound.unsupported));
  }
  return {
    node: "project",
    input: { node: "aggregate", input, groups, aggregates },
    expressions: [...columns, { node: "constant", value: "1", type: BIGINT }],
  };
}
