/** What is known of rows that come together: in groups, in DISTINCT, in sets. Reports where rows of partitions that are built apart do. */
import { type DecodeContext, named, reportAt } from "../decode-context.ts";
import { type JsonObject, listAt, objectsAt, textAt } from "../json.ts";
import { checkAggregate } from "./aggregates.ts";
import { givesDate } from "./dates.ts";
import { columnOf, columnsIn, ordersAt } from "./expressions.ts";
import { COMPUTED, type Dated, type KnownRows, tellsApart, withColumns } from "./rows.ts";

/** `sorted`: aggregates for whose lists no order of rows matters. */
export function aggregatedRows(
  json: JsonObject,
  rows: KnownRows,
  sorted: ReadonlySet<JsonObject>,
  context: DecodeContext,
): KnownRows {
  const groups = objectsAt(json, "groups");
  const aggregates = objectsAt(json, "expressions");
  const sets = listAt(json, "grouping_sets").map((set) => new Set(Array.isArray(set) ? set : []));
  const told = columnsIn(groups.filter((_, index) => sets.every((set) => set.has(index))));
  for (const each of aggregates) if (!sorted.has(each)) checkAggregate(each, rows, told, context);
  const dates = rows.dates.flatMap((dated): Dated[] => {
    const columns = groups.flatMap((group, index) =>
      sets.every((set) => set.has(index)) && givesDate(group, dated) ? [index] : [],
    );
    if (columns.length > 0) return [{ table: dated.table, columns: new Set(columns) }];
    reportTogether(dated.table, context, groups.length > 0 ? "GROUP BY" : "FUNCTION", "group by");
    return [];
  });
  const kept = groups.map((group) => columnOf(group) ?? [{ expression: group }]);
  const others = [...aggregates, ...listAt(json, "grouping_functions")].map(() => COMPUTED);
  const given = withColumns(rows, [...kept, ...others]);
  return {
    ...given,
    keys: sets.length > 1 ? [] : [...given.keys, new Set(groups.keys())],
    dates,
    one: groups.length === 0 && sets.length <= 1,
  };
}

export function reportTogether(table: string, context: DecodeContext, place: string, verb: string): void {
  reportAt(
    context,
    context.source.first(place),
    `rows of different partitions of ${table} come together, which are built apart`,
    verb === "group by"
      ? `group by its partition column too, or read more dates: inputs: { ${table}: last(N) }`
      : `write ${verb} with its partition column, or read more dates: inputs: { ${table}: last(N) }`,
  );
}

export function distinctRows(json: JsonObject, rows: KnownRows, context: DecodeContext): KnownRows {
  const targets = columnsIn(objectsAt(json, "distinct_targets"));
  const isOn = textAt(json, "distinct_type") !== "DISTINCT";
  if (isOn && !tellsApart(rows, targets.union(columnsIn(ordersAt(json, "order_by")))))
    reportAt(
      context,
      context.source.first("DISTINCT ON"),
      "DISTINCT ON keeps any of the rows that tie",
      "end its ORDER BY with columns that tell the rows apart: its key, or all columns that are selected",
    );
  const dates = rows.dates.filter(({ table, columns }) => {
    if (columns.intersection(targets).size > 0) return true;
    reportTogether(table, context, "DISTINCT ON", "DISTINCT");
    return false;
  });
  return { ...rows, dates, keys: [...rows.keys, targets] };
}

export function rowsOfSets(
  type: string,
  json: JsonObject,
  left: KnownRows,
  right: KnownRows,
  context: DecodeContext,
): KnownRows {
  const [a, b] = [left.dates, right.dates];
  const both =
    a.length === 1 && b.length === 1
      ? (a[0]?.columns.intersection(b[0]?.columns ?? new Set()) ?? new Set())
      : undefined;
  const isUnion = type === "LOGICAL_UNION";
  const table = a[0]?.table ?? b[0]?.table;
  const dates = ((): readonly Dated[] => {
    if (table === undefined) return [];
    if (both !== undefined && (both.size > 0 || isUnion)) return [{ table, columns: both }];
    if (a.length <= 1 && b.length === 0 && !isUnion) return a;
    if (a.length === 0 && b.length === 1 && type === "LOGICAL_INTERSECT") return b;
    if (isUnion) return [{ table, columns: new Set() }];
    const what = named(type.replace("LOGICAL_", "")).toUpperCase();
    reportTogether(table, context, what, `both sides of ${what}`);
    return [];
  })();
  const all = new Set(left.columns.keys());
  return {
    columns: isUnion ? left.columns.map((own, index) => [...own, ...(right.columns[index] ?? COMPUTED)]) : left.columns,
    keys: json["setop_all"] === true ? (isUnion ? [] : left.keys) : [...(isUnion ? [] : left.keys), all],
    dates,
    one: false,
    reads: left.reads.union(right.reads),
  };
}
