/** Runs of models and checks that hold as much as they may: what they take is told in `held-child.ts`. */
import { createColumnBuilder, finishBatch } from "../../../lakehouse/engine/columns/builder.ts";
import type { Batch, ColumnType, Field } from "../../../lakehouse/engine/columns/column.ts";
import type { Aggregate, Expression, IrField, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { irTypeOf } from "../../../lakehouse/engine/ir/ir-types.ts";

const types = {
  id: { kind: "utf8" },
  text: { kind: "utf8" },
  number: { kind: "int64" },
  score: { kind: "float64" },
} as const satisfies Readonly<Record<string, ColumnType>>;
type ColumnName = keyof typeof types;
const names: readonly ColumnName[] = ["id", "text", "number", "score"];
const fields: readonly Field[] = names.map((name) => ({ name, type: types[name], nullable: false }));

export interface HeldCase {
  readonly title: string;
  /** Saved as a partial result, loaded and gone on from; else the rows are run through the whole plan. */
  readonly kind: "merge" | "whole" | "check";
  readonly plan: Plan;
  readonly rows: number;
  /** The value of `id` in a row: one of so many. */
  readonly ids: number;
  /** How many characters `text` has. */
  readonly textLength: number;
  /** Doubles of all sizes, in place of amounts. */
  readonly wide?: boolean;
}

const columns: readonly IrField[] = names.map((name) => ({ name, type: irTypeOf(types[name]) }));
const scan: Plan = { node: "scan", table: "rows", columns };
const column = (name: ColumnName): Expression => {
  return { node: "column", index: names.indexOf(name), type: irTypeOf(types[name]) };
};

function aggregated(
  groups: readonly ColumnName[],
  aggregates: readonly (readonly [name: string, column: ColumnName, distinct?: "distinct"])[],
): Plan {
  return {
    node: "aggregate",
    input: scan,
    groups: groups.map(column),
    aggregates: aggregates.map(([name, argument, distinct]): Aggregate => {
      const type = name === "count" ? ({ kind: "int64" } as const) : irTypeOf(types[argument]);
      return { name, args: [column(argument)], distinct: distinct !== undefined, filter: null, type };
    }),
  };
}

const sorted: Plan = {
  node: "order",
  input: scan,
  by: [{ expression: column("number"), descending: false, nullsFirst: false }],
};
const lookedUp: Plan = {
  node: "aggregate",
  input: {
    node: "join",
    kind: "inner",
    left: scan,
    right: { ...scan, table: "looked up" },
    keys: [{ left: column("id"), right: column("id") }],
    residual: null,
  },
  groups: [],
  aggregates: [{ name: "count", args: [], distinct: false, filter: null, type: { kind: "int64" } }],
};

export const HELD_CASES = {
  sums: {
    title: "exact sums of doubles of all sizes, up to 100,000 groups",
    kind: "merge",
    plan: aggregated(["id"], [["sum", "score"]]),
    rows: 2_000_000,
    ids: 100_000,
    textLength: 1,
    wide: true,
  },
  amounts: {
    title: "exact sums of amounts as doubles, 100,000 groups",
    kind: "merge",
    plan: aggregated(["id"], [["sum", "score"]]),
    rows: 1_000_000,
    ids: 100_000,
    textLength: 1,
  },
  keys: {
    title: "keys of 300 characters, up to 100,000 groups",
    kind: "merge",
    plan: aggregated(["id", "text"], [["count", "number"]]),
    rows: 100_000,
    ids: 100_000,
    textLength: 300,
  },
  distinct: {
    title: "1,000,000 distinct values",
    kind: "merge",
    plan: aggregated([], [["count", "number", "distinct"]]),
    rows: 1_000_000,
    ids: 100_000,
    textLength: 1,
  },
  check: {
    title: "a check that groups by a key, 1,000,000 keys",
    kind: "check",
    plan: aggregated(["id"], [["count", "number"]]),
    rows: 1_000_000,
    ids: 1_000_000,
    textLength: 1,
  },
  limit: {
    title: "the first 10,000 of 1,000,000 rows",
    kind: "whole",
    plan: { node: "limit", input: sorted, limit: 10_000, offset: 0 },
    rows: 1_000_000,
    ids: 100_000,
    textLength: 40,
  },
  order: {
    title: "1,000,000 rows in order",
    kind: "whole",
    plan: sorted,
    rows: 1_000_000,
    ids: 100_000,
    textLength: 40,
  },
  join: {
    title: "a join to 100,000 rows of 8 MB",
    kind: "whole",
    plan: lookedUp,
    rows: 1_000_000,
    ids: 100_000,
    textLength: 36,
  },
} as const satisfies Readonly<Record<string, HeldCase>>;

const BATCH_ROWS = 8_192;

/** The rows `[first, last)`, batch by batch. */
export async function* rowsOf(held: HeldCase, first: number, last: number): AsyncGenerator<Batch> {
  for (let start = first; start < last; start += BATCH_ROWS)
    yield batchOf(held, start, Math.min(BATCH_ROWS, last - start));
}

function batchOf({ ids, textLength, wide }: HeldCase, start: number, length: number): Batch {
  const builders = fields.map(({ type }) => createColumnBuilder(type));
  const [id, text, number, score] = builders;
  for (let row = start; row < start + length; row++) {
    const mixed = Math.imul(row, 2_654_435_761) >>> 0;
    if (id?.kind === "bytes") id.pushString(`customer-${row % ids}`);
    if (text?.kind === "bytes") text.pushString(String(row % ids).padEnd(textLength, "x"));
    if (number?.kind === "int64") number.push(BigInt(row) * 7_919n);
    if (score?.kind === "float64")
      score.push(wide === true ? ((mixed % 1_000) + 0.5) * 10 ** ((mixed % 600) - 300) : (mixed % 10_007) / 100);
  }
  return finishBatch(fields, builders);
}
