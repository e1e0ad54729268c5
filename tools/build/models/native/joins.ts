/** What is known of joined rows. Pairs of different partitions are reported, and ASOF joins that take any of several rows. */
import { type DecodeContext, reportAt } from "../decode-context.ts";
import { isObject, type JsonObject, objectsAt, textAt } from "../json.ts";
import { columnOf, conjuncts, equatedBy } from "./expressions.ts";
import { COMPUTED, type Dated, type KnownRows, shifted, tied, unknownRows } from "./rows.ts";

/** A pair of columns that are equal in joined rows: of the left side, and of the right. */
type Pair = readonly [left: number, right: number];

export function joinRows(json: JsonObject, left: KnownRows, right: KnownRows, context: DecodeContext): KnownRows {
  const type = textAt(json, "type");
  const kind = type === "LOGICAL_CROSS_PRODUCT" ? "INNER" : textAt(json, "join_type");
  const width = left.columns.length;
  const pairs = pairsOf(json, width);
  const isAsOf = type === "LOGICAL_ASOF_JOIN";
  if (isAsOf) checkAsOf(json, pairs, right, context);
  const reads = left.reads.union(right.reads);
  const dates = datesOf(kind, isAsOf, left, right, pairs, context);
  const byRight = right.keys.some((key) => key.isSubsetOf(new Set(pairs.map(([, column]) => column))));
  const byLeft = left.keys.some((key) => key.isSubsetOf(new Set(pairs.map(([column]) => column))));
  const both = left.keys.flatMap((own) => right.keys.map((other) => own.union(shifted(other, width)))).slice(0, 8);
  const rightKeys = right.keys.map((key) => shifted(key, width));
  const columns = [...left.columns, ...right.columns];
  const one = left.one && right.one && type === "LOGICAL_CROSS_PRODUCT";
  switch (kind) {
    case "INNER": {
      const keys = [...(byRight || isAsOf ? left.keys : []), ...(byLeft && !isAsOf ? rightKeys : []), ...both];
      return { columns, keys, dates, one, reads };
    }
    case "LEFT":
      return {
        columns: nullable(columns, width),
        keys: [...(byRight || isAsOf ? left.keys : []), ...both],
        dates,
        one,
        reads,
      };
    case "SINGLE":
      return { columns: nullable(columns, width), keys: left.keys, dates, one, reads };
    case "RIGHT":
      return { columns: nullable(columns, 0, width), keys: [...(byLeft ? rightKeys : []), ...both], dates, one, reads };
    case "OUTER":
    case "FULL":
      return { columns: nullable(columns, 0), keys: [], dates, one, reads };
    case "SEMI":
    case "ANTI":
      return { ...left, dates, one, reads };
    case "MARK":
      return { ...left, columns: [...left.columns, COMPUTED], dates, one, reads };
    default:
      reportAt(context, context.source.first("JOIN"), `nothing is known of a ${kind} JOIN`, "write it another way");
      return unknownRows(columns.length, reads);
  }
}

/** Columns that are NULL where a row has no partner are no columns of an input any more. */
function nullable(columns: KnownRows["columns"], from: number, to = columns.length): KnownRows["columns"] {
  return columns.map((column, index) => (index >= from && index < to ? COMPUTED : column));
}

function pairsOf(json: JsonObject, width: number): readonly Pair[] {
  if (textAt(json, "type") !== "LOGICAL_ANY_JOIN")
    return objectsAt(json, "conditions")
      .map(equatedBy)
      .filter((pair) => pair !== undefined);
  const condition = json["condition"];
  return conjuncts(isObject(condition) ? [condition] : []).flatMap((part): Pair[] => {
    const pair = equatedBy(part);
    if (pair === undefined) return [];
    const [a, b] = pair[0] < pair[1] ? pair : [pair[1], pair[0]];
    return a < width && b >= width ? [[a, b - width]] : [];
  });
}

/** A row gets the nearest one of the right side: there must be one of each place. */
function checkAsOf(json: JsonObject, pairs: readonly Pair[], right: KnownRows, context: DecodeContext): void {
  const compared = objectsAt(json, "conditions").flatMap((each) => {
    const column = isObject(each["right"]) ? columnOf(each["right"]) : undefined;
    return column === undefined ? [] : [column];
  });
  const told = new Set([...pairs.map(([, column]) => column), ...compared]);
  if (right.keys.some((key) => key.isSubsetOf(told))) return;
  reportAt(
    context,
    context.source.first("ASOF") ?? context.source.first("JOIN"),
    "ASOF JOIN takes any of the rows of its right side that tie",
    "let the right side be a subquery with one row of each: GROUP BY the columns that are compared, such as with arg_max(value, row(order, value))",
  );
}

function datesOf(
  kind: string,
  isAsOf: boolean,
  left: KnownRows,
  right: KnownRows,
  pairs: readonly Pair[],
  context: DecodeContext,
): readonly Dated[] {
  const width = left.columns.length;
  const moved = right.dates.map((dated) => ({ ...dated, columns: shifted(dated.columns, width) }));
  const across = pairs.map(([a, b]) => [a, b + width] as const);
  if (kind === "INNER" && !isAsOf) return tied([...left.dates, ...moved], across);
  const [a, b] = [left.dates[0], right.dates[0]];
  if (b === undefined && !["RIGHT", "OUTER", "FULL"].includes(kind)) return left.dates;
  if (a === undefined && (b === undefined || kind === "RIGHT")) return moved;
  const isTied =
    a !== undefined &&
    b !== undefined &&
    left.dates.length === 1 &&
    right.dates.length === 1 &&
    pairs.some(([own, other]) => a.columns.has(own) && b.columns.has(other));
  if (!isTied) {
    reportPairs((b ?? a)?.table ?? "", context);
    return [];
  }
  if (kind === "INNER") return tied([...left.dates, ...moved], across);
  if (kind === "RIGHT") return moved;
  if (kind !== "OUTER" && kind !== "FULL") return left.dates;
  return [{ table: a.table, columns: new Set(), halves: [a.columns, shifted(b.columns, width)] }];
}

/** `tables` are read by the same date, and nothing says that their rows are. */
export function reportPairs(table: string, context: DecodeContext): void {
  reportAt(
    context,
    context.source.first("JOIN") ?? context.source.first("SUBQUERY"),
    `the join with ${table} pairs rows of different partitions, which are built apart`,
    `compare the partition columns too, or read more dates: inputs: { ${table}: last(N) }`,
  );
}
