/**
 * Reads DuckDB's plan of a native model from its inputs upwards, and reports what gives no determined result, and what reaches over
 * partitions that are built apart. What cannot be shown to be determined is a problem. Operators that the edge has too are read here once
 * more, since their inputs may be what it has not.
 */
import { type DecodeContext, named, reportAt } from "../decode-context.ts";
import { ROW_NUMBER } from "../decode-plan.ts";
import { indexAt, isObject, type Json, type JsonObject, listAt, objectsAt, textAt } from "../json.ts";
import { checkWindow, numbersRows, takesTheOnly } from "./aggregates.ts";
import { givesDate } from "./dates.ts";
import { callsIn, columnOf, columnsIn, conjuncts, equatedBy, guardsSubquery, orderedBy } from "./expressions.ts";
import { joinRows } from "./joins.ts";
import {
  COMPUTED,
  type Dated,
  type KnownRows,
  type Source,
  tellsApart,
  tied,
  unknownRows,
  withColumns,
} from "./rows.ts";
import { sortedLists } from "./sorted-lists.ts";
import { aggregatedRows, distinctRows, reportTogether, rowsOfSets } from "./together.ts";

/** What the rows of an input table are known by. */
export interface InputRows {
  /** Columns that are unique together within what one build reads; undefined where nobody promises any. */
  readonly key: readonly string[] | undefined;
  /** The partition column, where the table is read by the same date. */
  readonly partition: string | undefined;
}

export interface Reading {
  readonly context: DecodeContext;
  inputOf(table: string): InputRows;
  /** Reports a LIMIT over rows of these tables; `tells` says whether their order is total. */
  limited(reads: ReadonlySet<string>, tells: boolean): void;
}

interface Scope {
  /** Common table expressions, by the plan's index. */
  readonly ctes: ReadonlyMap<Json, KnownRows>;
  /** What a correlated subquery gets from outside. */
  readonly outer: KnownRows | undefined;
  /** Aggregates for whose lists no order of rows matters. */
  readonly sorted: ReadonlySet<JsonObject>;
}

/** Deterministic table functions of DuckDB. */
const TABLE_FUNCTIONS = new Set("range generate_series unnest repeat repeat_row json_each json_tree".split(" "));

export function readPlan(plan: JsonObject, reading: Reading): KnownRows {
  return read(plan, reading, { ctes: new Map(), outer: undefined, sorted: sortedLists(plan) });
}

function read(json: JsonObject, reading: Reading, scope: Scope): KnownRows {
  const { context } = reading;
  const type = textAt(json, "type");
  const children = objectsAt(json, "children");
  const expressions = () => objectsAt(json, "expressions");
  const below = (at = 0): KnownRows => {
    const child = children[at];
    return child === undefined ? unknownRows(0) : read(child, reading, scope);
  };
  switch (type) {
    case "LOGICAL_GET":
      return readTable(json, reading, children.length === 0 ? undefined : below());
    case "LOGICAL_PROJECTION": {
      const [child] = children;
      const isSubquery =
        child !== undefined && callsIn(json["expressions"]).some(guardsSubquery) && takesTheOnly(child);
      const rows = isSubquery ? onlyRow(child, reading, scope) : below();
      return project(rows, expressions(), child);
    }
    case "LOGICAL_FILTER": {
      const rows = below();
      const conditions = conjuncts(expressions());
      const pairs = conditions.map(equatedBy).filter((pair) => pair !== undefined);
      const firsts = firstRowsOf(children[0], conditions, rows);
      const filtered = { ...rows, one: false, dates: tied(rows.dates, pairs), keys: [...rows.keys, ...firsts] };
      return selected(filtered, listAt(json, "projection_map"));
    }
    case "LOGICAL_AGGREGATE_AND_GROUP_BY":
      return aggregatedRows(json, below(), scope.sorted, context);
    case "LOGICAL_DISTINCT":
      return distinctRows(json, below(), context);
    case "LOGICAL_ORDER_BY":
      return selected(below(), listAt(json, "projections"));
    case "LOGICAL_LIMIT":
      return limit(json, reading, below());
    case "LOGICAL_WINDOW": {
      const rows = below();
      for (const window of expressions()) checkWindow(window, rows, context);
      return { ...rows, columns: [...rows.columns, ...expressions().map(() => COMPUTED)] };
    }
    case "LOGICAL_UNNEST": {
      const rows = below();
      return { ...rows, columns: [...rows.columns, ...expressions().map(() => COMPUTED)], keys: [], one: false };
    }
    case "LOGICAL_UNION":
    case "LOGICAL_EXCEPT":
    case "LOGICAL_INTERSECT":
      return rowsOfSets(type, json, below(0), below(1), context);
    case "LOGICAL_CROSS_PRODUCT":
    case "LOGICAL_COMPARISON_JOIN":
    case "LOGICAL_ANY_JOIN":
    case "LOGICAL_ASOF_JOIN":
      return joinRows(json, below(0), below(1), context);
    case "LOGICAL_DELIM_JOIN":
      return correlated(json, reading, scope);
    case "LOGICAL_DELIM_GET":
      return scope.outer ?? unknownRows(listAt(json, "chunk_types").length);
    case "LOGICAL_MATERIALIZED_CTE": {
      const [, query] = children;
      const ctes = new Map(scope.ctes).set(indexAt(json, "table_index"), below());
      return query === undefined ? unknownRows(0) : read(query, reading, { ...scope, ctes });
    }
    case "LOGICAL_CTE_REF":
      return scope.ctes.get(json["cte_index"] ?? null) ?? unknownRows(listAt(json, "bound_columns").length);
    case "LOGICAL_RECURSIVE_CTE":
      return recursion(json, below(), reading, scope);
    case "LOGICAL_DUMMY_SCAN":
      return { ...unknownRows(1), keys: [new Set()], one: true };
    case "LOGICAL_EXPRESSION_GET":
      return unknownRows(listAt(json, "expr_types").length);
    case "LOGICAL_SAMPLE":
      reportAt(context, undefined, "a sample differs from run to run", "leave it out");
      return below();
    case "LOGICAL_POSITIONAL_JOIN": {
      const at = context.source.first("POSITIONAL") ?? context.source.first("JOIN");
      reportAt(context, at, "positional joins depend on the order of rows", "join by a key");
      return unknownRows(below(0).columns.length + below(1).columns.length);
    }
    default:
      reportAt(
        context,
        undefined,
        `nothing is known of the operator ${named(type.replace("LOGICAL_", ""))}, so that its result may differ from run to run`,
        "write it another way",
      );
      return unknownRows(0);
  }
}

function readTable(json: JsonObject, { context, inputOf }: Reading, argument: KnownRows | undefined): KnownRows {
  const data = json["function_data"];
  const table = isObject(data) ? data["table"] : undefined;
  const function_ = textAt(json, "name");
  const indexes = objectsAt(json, "column_indexes");
  if (function_ !== "seq_scan" || typeof table !== "string") {
    if (!TABLE_FUNCTIONS.has(function_))
      reportAt(context, context.source.call(function_), `${function_} is no input table`, "select from an input table");
    if (argument === undefined) return unknownRows(indexes.length);
    const passed = listAt(json, "projected_input").filter((index) => typeof index === "number");
    return { ...withColumns(argument, [...indexes.map(() => COMPUTED), ...passed]), keys: [], one: false };
  }
  const names = listAt(json, "names");
  const columns = indexes.map(({ index }) => (typeof index === "number" ? String(names[index]) : ROW_NUMBER));
  const { key, partition } = inputOf(table);
  const at = key?.map((name) => columns.indexOf(name));
  return {
    columns: columns.map((column): readonly Source[] => [{ table, column }]),
    keys: at === undefined || at.includes(-1) ? [] : [new Set(at)],
    dates:
      partition === undefined
        ? []
        : [{ table, columns: new Set(columns.flatMap((name, index) => (name === partition ? [index] : []))) }],
    one: false,
    reads: new Set([table]),
  };
}

function project(rows: KnownRows, expressions: readonly JsonObject[], input: JsonObject | undefined): KnownRows {
  const passed = withColumns(
    rows,
    expressions.map((expression) => columnOf(expression, input) ?? [{ expression }]),
  );
  const dates = passed.dates.map((dated, index): Dated => {
    const before = rows.dates[index];
    const whole = expressions.flatMap((expression, place) =>
      before !== undefined && givesDate(expression, before) ? [place] : [],
    );
    return { ...dated, columns: dated.columns.union(new Set(whole)) };
  });
  return { ...passed, dates };
}

/** The row of a scalar subquery: DuckDB fails where there are two. */
function onlyRow(aggregation: JsonObject, reading: Reading, scope: Scope): KnownRows {
  const [child] = objectsAt(aggregation, "children");
  const rows = child === undefined ? unknownRows(0) : read(child, reading, scope);
  for (const { table } of rows.dates) reportTogether(table, reading.context, "SUBQUERY", "a subquery that compares it");
  return { ...unknownRows(2, rows.reads), keys: [new Set()], one: true };
}

function limit(json: JsonObject, { limited }: Reading, rows: KnownRows): KnownRows {
  const [order] = objectsAt(json, "children");
  const told =
    order !== undefined && order["type"] === "LOGICAL_ORDER_BY" && listAt(order, "projections").length === 0
      ? columnsIn(orderedBy(objectsAt(order, "orders")))
      : new Set<number>();
  limited(rows.reads, tellsApart(rows, told));
  return { ...rows, one: false };
}

/** Keys by `row_number() = 1`: there is one row of each of the window's partitions. */
function firstRowsOf(
  window: JsonObject | undefined,
  conditions: readonly JsonObject[],
  rows: KnownRows,
): readonly ReadonlySet<number>[] {
  if (window === undefined || window["type"] !== "LOGICAL_WINDOW") return [];
  const windows = objectsAt(window, "expressions");
  const first = rows.columns.length - windows.length;
  return windows.flatMap((each, index) => {
    const isOne = conditions.some(
      ({ type, left, right }) =>
        type === "COMPARE_EQUAL" &&
        isObject(left) &&
        columnOf(left) === first + index &&
        isObject(right) &&
        isNumberOne(right),
    );
    const parts = objectsAt(each, "partitions");
    const columns = columnsIn(parts);
    return isOne && each["type"] === "WINDOW_ROW_NUMBER" && columns.size === parts.length ? [columns] : [];
  });
}

function isNumberOne(expression: JsonObject): boolean {
  const inner = isObject(expression["child"]) ? expression["child"] : expression;
  const value = inner["value"];
  return isObject(value) && value["value"] === 1;
}

function correlated(json: JsonObject, reading: Reading, scope: Scope): KnownRows {
  const [outside, inside] = objectsAt(json, "children");
  if (outside === undefined || inside === undefined || json["delim_flipped"] === true) return unknownRows(0);
  const isNumbered = outside["type"] === "LOGICAL_WINDOW" && numbersRows(outside);
  const rows = isNumbered ? numbered(outside, reading, scope) : read(outside, reading, scope);
  const names = objectsAt(json, "duplicate_eliminated_columns");
  const given = project(rows, names, undefined);
  const outer: KnownRows = {
    ...given,
    keys: [new Set(names.keys())],
    // Without the date it is a value like any other: what is made of it is the same in each partition.
    dates: given.dates.filter(({ columns }) => columns.size > 0),
    one: false,
    reads: new Set(),
  };
  return joinRows(json, rows, read(inside, reading, { ...scope, outer }), reading.context);
}

function numbered(window: JsonObject, reading: Reading, scope: Scope): KnownRows {
  const [child] = objectsAt(window, "children");
  const rows = child === undefined ? unknownRows(0) : read(child, reading, scope);
  return { ...rows, columns: [...rows.columns, COMPUTED] };
}

/** The rows of the beginning and of every step: UNION drops those that are there, so that it ends where nothing new comes. */
function recursion(json: JsonObject, beginning: KnownRows, reading: Reading, scope: Scope): KnownRows {
  const { context } = reading;
  if (json["union_all"] === true || listAt(json, "key_targets").length > 0)
    reportAt(
      context,
      undefined,
      "a recursion with UNION ALL or USING KEY need not come to one end",
      "write WITH RECURSIVE ... UNION, which drops the rows that are there",
    );
  const [, step] = objectsAt(json, "children");
  const all = [new Set(beginning.columns.keys())];
  let rows: KnownRows = { ...beginning, keys: all, one: false };
  for (;;) {
    const ctes = new Map(scope.ctes).set(indexAt(json, "table_index"), rows);
    const next = step === undefined ? rows : read(step, reading, { ...scope, ctes });
    const together = rowsOfSets("LOGICAL_UNION", { setop_all: false }, rows, next, context);
    const settled = together.dates.every(({ columns }, index) => columns.size === rows.dates[index]?.columns.size);
    rows = { ...together, columns: together.columns.map(() => COMPUTED), keys: all };
    if (settled) return rows;
  }
}

function selected(rows: KnownRows, map: readonly Json[]): KnownRows {
  const kept = map.filter((index) => typeof index === "number");
  return kept.length === 0 ? rows : withColumns(rows, kept);
}
