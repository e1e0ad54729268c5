/** Which aggregates and window functions give one result for the same rows, and what the others need for it. */
import { type DecodeContext, reportAt } from "../decode-context.ts";
import { isObject, type JsonObject, objectsAt, textAt } from "../json.ts";
import { givesDate } from "./dates.ts";
import { columnsIn, orderedBy, ordersAt, textOf } from "./expressions.ts";
import { type KnownRows, tellsApart } from "./rows.ts";

/** The order of rows changes nothing, or the last bits of a DOUBLE. */
const OF_ANY_ORDER = new Set(
  (
    "approx_count_distinct avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr count count_if count_star countif covar_pop covar_samp " +
    "entropy favg fsum kahan_sum kurtosis kurtosis_pop mad max mean median min product quantile quantile_cont quantile_disc regr_avgx regr_avgy " +
    "regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp sum sum_no_overflow " +
    "sumkahan var_pop var_samp variance"
  ).split(" "),
);
const OF_ORDER = new Set("first last any_value arbitrary list array_agg string_agg group_concat listagg".split(" "));
const EXTREME = /^(arg_?(min|max)(_nulls?(_last)?)?|(min|max)_by)$/;
/** Rows that tie have one rank. */
const OF_TIES = new Set(["WINDOW_RANK", "WINDOW_RANK_DENSE", "WINDOW_PERCENT_RANK", "WINDOW_CUME_DIST"]);

const ROWS_NAMED = "its key, or all columns that are selected";

/** An aggregate over `rows`, of which those of one group are alike in the columns `told`. */
export function checkAggregate(
  json: JsonObject,
  rows: KnownRows,
  told: ReadonlySet<number>,
  context: DecodeContext,
): void {
  const name = textAt(json, "name");
  const problem = aggregateProblem(name, json, rows, told, ordersAt(json, "order_bys"));
  if (problem !== undefined) reportAt(context, context.source.call(name), ...problem);
}

type Problem = readonly [problem: string, fix: string];

function aggregateProblem(
  name: string,
  json: JsonObject,
  rows: KnownRows,
  told: ReadonlySet<number>,
  orders: readonly JsonObject[],
): Problem | undefined {
  if (OF_ANY_ORDER.has(name)) return undefined;
  const values = objectsAt(json, "children").filter((child) => child["expression_class"] !== "BOUND_CONSTANT");
  if (OF_ORDER.has(name)) {
    const texts = new Set(orders.map(textOf));
    if (values.every((value) => texts.has(textOf(value)))) return undefined;
    if (tellsApart(rows, told.union(columnsIn(orders)))) return undefined;
    return orders.length === 0
      ? [`${name} depends on the order of rows`, `write ${name}(... ORDER BY ...) with a total order, or min or max`]
      : [
          `${name} has an ORDER BY in which rows may tie`,
          `end it with the value itself, or with columns that tell the rows of a group apart: ${ROWS_NAMED}`,
        ];
  }
  if (EXTREME.test(name)) {
    const [value, order] = values;
    if (value === undefined || order === undefined) return undefined;
    const parts = order["name"] === "row" || order["name"] === "struct_pack" ? objectsAt(order, "children") : [order];
    if (parts.some((part) => textOf(part) === textOf(value))) return undefined;
    if (tellsApart(rows, told.union(columnsIn(parts)))) return undefined;
    return [
      `${name} keeps the value of any of the rows that tie`,
      `end the order with the value: ${name}(value, row(order, value))`,
    ];
  }
  if (name === "mode")
    return [
      "mode keeps any of the values that come equally often",
      "count them in a subquery, and take arg_max(value, row(count, value))",
    ];
  return [
    `${name} depends on threads, or on the order of rows`,
    "use an exact aggregate, such as quantile_cont (docs/model-sql.md)",
  ];
}

/** A window function over `rows`. */
export function checkWindow(json: JsonObject, rows: KnownRows, context: DecodeContext): void {
  const type = textAt(json, "type");
  const name = type === "WINDOW_AGGREGATE" ? textAt(json, "name") : type.slice("WINDOW_".length).toLowerCase();
  const at = windowPlace(name, context);
  const parts = objectsAt(json, "partitions");
  for (const dated of rows.dates) {
    if (parts.some((part) => givesDate(part, dated))) continue;
    const { table } = dated;
    const fix = `add the partition column to PARTITION BY, or read more dates: inputs: { ${table}: last(N) }`;
    reportAt(context, at, `${name} reaches over the partitions of ${table}, which are built apart`, fix);
  }
  if (OF_TIES.has(type)) return;
  const told = columnsIn(parts);
  const orders = [...orderedBy(objectsAt(json, "orders")), ...orderedBy(objectsAt(json, "arg_orders"))];
  if (tellsApart(rows, told.union(columnsIn(orders)))) return;
  if (type === "WINDOW_AGGREGATE") {
    const problem = aggregateProblem(name, json, rows, told, orders);
    if (problem !== undefined) reportAt(context, at, ...problem);
    if (problem !== undefined || !countsRows(json)) return;
  }
  const [problem, fix] =
    orders.length === 0
      ? [`${name} has no ORDER BY`, "add one with a total order"]
      : [`${name} has an ORDER BY in which rows may tie`, "make it total"];
  const how = type === "WINDOW_AGGREGATE" ? ", or count by values: RANGE or GROUPS" : "";
  reportAt(context, at, problem, `${fix}: end it with columns that tell the rows apart: ${ROWS_NAMED}${how}`);
}

/** Whether the frame ends between rows that tie. */
function countsRows(json: JsonObject): boolean {
  return [textAt(json, "start"), textAt(json, "end")].some((bound) => bound.endsWith("_ROWS"));
}

function windowPlace(name: string, { source }: DecodeContext): number | undefined {
  const written = name === "rank_dense" ? "dense_rank" : name;
  return source.call(written) ?? source.call(name) ?? source.first("WINDOW");
}

/** What DuckDB itself puts under a correlated subquery, so that equal rows are kept apart: nobody sees the numbers. */
export function numbersRows(operator: JsonObject): boolean {
  const [window, other] = objectsAt(operator, "expressions");
  if (window === undefined || other !== undefined || window["type"] !== "WINDOW_ROW_NUMBER") return false;
  return objectsAt(window, "partitions").length === 0 && objectsAt(window, "orders").length === 0;
}

/** Whether an aggregation is DuckDB's own over a scalar subquery: its value, and how many rows there are. */
export function takesTheOnly(operator: JsonObject): boolean {
  const [value, count, other] = objectsAt(operator, "expressions");
  if (objectsAt(operator, "groups").length > 0 || other !== undefined) return false;
  return value?.["name"] === "first" && !isObject(value["order_bys"]) && count?.["name"] === "count_star";
}
