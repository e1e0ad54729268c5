/** What runs hold is bounded in bytes: whatever passes the bound says what took the room, and what to write instead. */
import { describe, expect, test } from "vitest";
import type { Batch, Field } from "../../../../lakehouse/engine/columns/column.ts";
import type { Aggregate, IrType, Plan } from "../../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../../lakehouse/engine/ir/ir-types.ts";
import { execute } from "../../../../lakehouse/engine/operators/execute.ts";
import { createHeldRows, MAX_HELD_BYTES } from "../../../../lakehouse/engine/operators/held-rows.ts";
import { collectRows } from "../../../../lakehouse/engine/operators/sort.ts";
import { batchOf, valuesOf } from "./columns/column-of.ts";
import { column, float64, int32, int64, list, utf8 } from "./expressions/evaluate.ts";

const COLUMNS = [
  { name: "k", type: utf8 },
  { name: "n", type: int32 },
  { name: "x", type: float64 },
  { name: "l", type: list(int32) },
] as const;
const [k, n, x, l] = COLUMNS.map(({ type }, at) => column(at, type));
const fields = COLUMNS.map(({ name, type }): Field => ({ name, type: columnTypeOf(type), nullable: true }));
const scan: Plan = { node: "scan", table: "t", columns: COLUMNS };
if (k === undefined || n === undefined || x === undefined || l === undefined) throw new Error("there are four columns");

const grouped = (groups: Extract<Plan, { node: "aggregate" }>["groups"], ...aggregates: Aggregate[]): Plan => {
  return { node: "aggregate", input: scan, groups, aggregates };
};
const aggregate = (name: string, arg: typeof k, type: IrType, distinct = false): Aggregate => {
  return { name, args: [arg], distinct, filter: null, type };
};

type Row = Parameters<typeof batchOf>[1][number];

function running(plan: Plan, rows: readonly Row[], kind: "model" | "check" = "model", maxRows = 1_000_000) {
  const held = createHeldRows({ kind, name: "wide", maxRows });
  const batches = Array.from({ length: Math.ceil(rows.length / 5_000) }, (_, at) =>
    batchOf(fields, rows.slice(5_000 * at, 5_000 * (at + 1))),
  );
  async function* given(): AsyncGenerator<Batch> {
    yield* batches;
  }
  return { rows: execute(plan, { scan: given, held }), held };
}

async function collected(...args: Parameters<typeof running>) {
  const { rows, held } = running(...args);
  return collectRows(rows, held);
}

const long = (row: number) => `${row}`.padEnd(40_000, "x");
const rows = (length: number, of: (row: number) => Row) => Array.from({ length }, (_, row) => of(row));

describe("a run that would hold too many bytes", () => {
  test.each<[what: string, plan: Plan, rows: readonly Row[], message: RegExp]>([
    [
      "keys of groups",
      grouped([k], aggregate("count", n, int64)),
      rows(500, (row) => ({ k: long(row), n: 1 })),
      /^model wide holds more than 29360128 bytes in one partition: \d+ of them are for the keys of 500 groups: group by fewer columns/,
    ],
    [
      "doubles of all sizes",
      grouped([n], aggregate("sum", x, float64)),
      rows(120_000, (row) => ({ n: row >> 1, x: row % 2 === 0 ? 1e300 : 1e-300 })),
      /for sum\(DOUBLE\) of \d+ groups: cast to a DECIMAL first/,
    ],
    [
      "extremes of texts",
      grouped([n], aggregate("max", k, utf8)),
      rows(500, (row) => ({ k: long(row), n: row })),
      /for max\(VARCHAR\) of 500 groups: take it of a shorter column/,
    ],
    [
      "rows to sort",
      { node: "order", input: scan, by: [{ expression: n, descending: false, nullsFirst: false }] },
      rows(500, (row) => ({ k: long(row), n: row })),
      /500 rows of \d+ bytes, which are copied to be sorted: keep fewer rows/,
    ],
  ])("of %s says what takes them, and what to do", async (_, plan, given, message) => {
    await expect(collected(plan, given)).rejects.toThrow(message);
  });

  test("of a check names the metric that holds nothing", async () => {
    const plan = grouped([k], aggregate("count", n, int64));
    await expect(
      collected(
        plan,
        rows(500, (row) => ({ k: long(row), n: 1 })),
        "check",
      ),
    ).rejects.toThrow(/^check wide holds more than .*: count repeated keys with the metric duplicateValues/);
  });

  test("counts all operators together, and none that has given its result", () => {
    const held = createHeldRows({ kind: "model", name: "wide", maxRows: 1 });
    const use = () => ({ what: "this", remedy: "do that" });
    const [first, second] = [held.account(), held.account()];
    first(MAX_HELD_BYTES / 2, use);
    first(MAX_HELD_BYTES, use);
    expect(() => second(1, use)).toThrow(/: this: do that/);
    first(0, use);
    second(MAX_HELD_BYTES, use);
  });
});

test("of rows in order with a LIMIT only the first are held, ties in the order of the rows", async () => {
  const plan: Plan = {
    node: "limit",
    input: { node: "order", input: scan, by: [{ expression: n, descending: true, nullsFirst: false }] },
    limit: 3,
    offset: 1,
  };
  const given = rows(60_000, (row) => ({ n: row % 100, k: `${row}` }));
  const found = await collected(plan, given, "model", 10);
  expect(found?.columns.slice(0, 2).map(valuesOf)).toEqual([
    ["199", "299", "399"],
    [99, 99, 99],
  ]);
});

test("a row that gives many long ones gives them in batches of some megabytes", async () => {
  const own = (length: number) => ({ k: "x".repeat(200_000), n: 7, l: Array.from({ length }, (_, at) => at) });
  const short = (length: number) => ({ ...own(length), k: "short" });
  // A row of many elements repeats its own list with each of them; rows of few ones fill batches to their number of rows.
  const given = [own(100), short(2_000), ...Array.from({ length: 6_000 }, () => short(3)), own(0)];
  const unnested = running({ node: "unnest", input: scan, list: l }, given).rows;
  const lengths: number[] = [];
  const elements: unknown[] = [];
  for await (const batch of unnested) {
    lengths.push(batch.length);
    elements.push(...valuesOf(batch.columns[4]!));
  }
  expect(elements).toEqual(given.flatMap((row) => row.l));
  expect(Math.max(...lengths)).toBe(8_192);
  // Some 20 rows of 200 KB make 4 MB.
  expect(lengths.slice(0, 4).every((length) => length < 25)).toBe(true);

  const joined = running(
    { node: "join", kind: "inner", left: scan, right: scan, keys: [{ left: n, right: n }], residual: null },
    rows(30, (row) => ({ k: "x".repeat(100_000), n: 7, x: row })),
  ).rows;
  let pairs = 0;
  for await (const batch of joined) {
    expect(batch.length).toBeLessThan(25);
    pairs += batch.length;
  }
  expect(pairs).toBe(900);
});
