import { describe, expect, test } from "vitest";
import { runModel } from "../../../../lakehouse/builds/models/run.ts";
import type { Field } from "../../../../lakehouse/engine/columns/column.ts";
import { createTupleIndex } from "../../../../lakehouse/engine/columns/tuple-index.ts";
import type { Value } from "../../../../lakehouse/engine/columns/value.ts";
import { ModelMismatchError, ModelTooLargeError } from "../../../../lakehouse/engine/ir/errors.ts";
import {
  type Aggregate,
  type EdgeModel,
  IR_VERSION,
  type IrType,
  type Plan,
} from "../../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../../lakehouse/engine/ir/ir-types.ts";
import { batchOf, columnOf, rowsOf } from "./columns/column-of.ts";
import {
  bool,
  call,
  column,
  constant,
  decimal,
  float64,
  hugeint,
  int32,
  int64,
  list,
  utf8,
} from "./expressions/evaluate.ts";

type Row = Readonly<Record<string, Value>>;

const COLUMNS = [
  { name: "k", type: utf8 },
  { name: "n", type: int32 },
  { name: "x", type: float64 },
  { name: "l", type: list(int32) },
] as const;
const [k, n, x] = [column(0, utf8), column(1, int32), column(2, float64)];
const scan: Plan = { node: "scan", table: "t", columns: COLUMNS };
const aggregate = (name: string, type: IrType, more: Partial<Aggregate> = {}): Aggregate => ({
  name,
  args: [n],
  distinct: false,
  filter: null,
  type,
  ...more,
});

function modelOf(
  plan: Plan,
  outputs: readonly (readonly [string, IrType])[],
  more: Partial<EdgeModel> = {},
): EdgeModel {
  return {
    irVersion: IR_VERSION,
    generation: "test",
    file: "sql/gold/sample.sql",
    layer: "gold",
    class: { kind: "whole", reason: "a test", at: "sql/gold/sample.sql:1" },
    grain: "day",
    name: "m",
    description: "",
    sql: "",
    partition: "k",
    key: outputs.slice(0, 1).map(([name]) => name),
    checks: [],
    engine: "auto",
    rowLimit: 100,
    maxRows: 100,
    inputs: [],
    fields: outputs.map(([name, type]): Field => ({ name, type: columnTypeOf(type), nullable: true })),
    plan,
    ...more,
  };
}

/** Runs a plan over batches of rows; each output column is named by its place: c0, c1, ... */
async function run(
  plan: Plan,
  types: readonly IrType[],
  batches: readonly (readonly Row[])[],
  more: Partial<EdgeModel> = {},
) {
  const model = modelOf(
    plan,
    types.map((type, index) => [`c${index}`, type] as const),
    more,
  );
  const fields = COLUMNS.map(({ name, type }): Field => ({ name, type: columnTypeOf(type), nullable: true }));
  const result = await runModel(model, {
    async *scan() {
      for (const rows of batches) yield batchOf(fields, rows);
    },
  });
  return rowsOf([result]).map((row) => Object.values(row));
}

const ROWS: readonly (readonly Row[])[] = [
  [
    { k: "b", n: 1, x: 0.5 },
    { k: "a", n: 2 },
    { k: null, n: 3 },
  ],
  [],
  [
    { k: "a", n: 2 },
    { k: "b", n: null, x: 1.5 },
    { k: null, n: 4 },
  ],
];

describe("aggregate", () => {
  test("groups across batches, NULL as one group, and sorts by the key with NULLs last", async () => {
    const plan: Plan = {
      node: "aggregate",
      input: scan,
      groups: [k],
      aggregates: [
        aggregate("count_star", int64, { args: [] }),
        aggregate("count", int64),
        aggregate("sum", hugeint),
        aggregate("sum", hugeint, { distinct: true }),
        aggregate("avg", float64),
        aggregate("min", int32),
        aggregate("max", float64, { args: [x] }),
        aggregate("count_star", int64, { args: [], filter: call(">", bool, n, constant(2, int32)) }),
      ],
    };
    expect(await run(plan, [utf8, int64, int64, hugeint, hugeint, float64, int32, float64, int64], ROWS)).toEqual([
      ["a", 2n, 2n, "4", "2", 2, 2, null, 0n],
      ["b", 2n, 1n, "1", "1", 1, 1, 1.5, 0n],
      [null, 2n, 2n, "7", "7", 3.5, 3, null, 2n],
    ]);
  });

  test("of nothing: one row without groups, none with them", async () => {
    const aggregates = [
      aggregate("count_star", int64, { args: [] }),
      aggregate("sum", hugeint),
      aggregate("max", int32),
    ];
    expect(await run({ node: "aggregate", input: scan, groups: [], aggregates }, [int64, hugeint, int32], [])).toEqual([
      [0n, null, null],
    ]);
    expect(
      await run({ node: "aggregate", input: scan, groups: [k], aggregates }, [utf8, int64, hugeint, int32], [[]]),
    ).toEqual([]);
  });

  test("sums of 64-bit and 128-bit values are exact", async () => {
    const wide = decimal(38, 2);
    const values = [2n ** 63n - 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)];
    for (const [type, expected] of [[int64, "9223372036854775805"]] as const) {
      const fields: Field[] = [{ name: "v", type: columnTypeOf(type), nullable: true }];
      const plan: Plan = {
        node: "aggregate",
        input: { node: "scan", table: "t", columns: [{ name: "v", type }] },
        groups: [],
        aggregates: [aggregate("sum", hugeint, { args: [column(0, type)] })],
      };
      const result = await runModel(modelOf(plan, [["s", hugeint]]), {
        async *scan() {
          yield batchOf(
            fields,
            values.map((v) => ({ v })),
          );
        },
      });
      expect(rowsOf([result])).toEqual([{ s: expected }]);
    }
    const fields: Field[] = [{ name: "v", type: columnTypeOf(wide), nullable: true }];
    const plan: Plan = {
      node: "aggregate",
      input: { node: "scan", table: "t", columns: [{ name: "v", type: wide }] },
      groups: [],
      aggregates: [aggregate("sum", wide, { args: [column(0, wide)] })],
    };
    const result = await runModel(modelOf(plan, [["s", wide]]), {
      async *scan() {
        yield batchOf(fields, [{ v: "123456789012345678901234567890.12" }, { v: "-0.13" }]);
      },
    });
    expect(rowsOf([result])).toEqual([{ s: "123456789012345678901234567889.99" }]);
  });
});

describe("other operators", () => {
  test("filter, project and union", async () => {
    const positive: Plan = {
      node: "filter",
      input: scan,
      conditions: [call(">", bool, n, constant(1, int32)), call("is not null", bool, k)],
    };
    const narrow: Plan = {
      node: "project",
      input: positive,
      expressions: [k, call("+", int32, n, constant(1, int32))],
    };
    const all: Plan = { node: "union", inputs: [narrow, { node: "project", input: scan, expressions: [k, n] }] };
    expect(await run(narrow, [utf8, int32], ROWS)).toEqual([
      ["a", 3],
      ["a", 3],
    ]);
    expect(await run(all, [utf8, int32], ROWS)).toHaveLength(8);
  });

  test("distinct, order and limit", async () => {
    const keys: Plan = { node: "distinct", input: { node: "project", input: scan, expressions: [k] } };
    expect(await run(keys, [utf8], ROWS)).toEqual([["a"], ["b"], [null]]);
    const ordered: Plan = { node: "order", input: keys, by: [{ expression: k, descending: true, nullsFirst: true }] };
    expect(await run({ node: "limit", input: ordered, limit: 1, offset: 1 }, [utf8], ROWS)).toEqual([["b"]]);
    expect(await run({ node: "limit", input: ordered, limit: 0, offset: 0 }, [utf8], ROWS)).toEqual([]);
  });

  test("unnest repeats the other columns; empty and null lists give no row", async () => {
    const plan: Plan = {
      node: "project",
      input: { node: "unnest", input: scan, list: column(3, list(int32)) },
      expressions: [k, column(4, int32)],
    };
    const rows = [
      [
        { k: "a", l: [1, null] },
        { k: "b", l: [] },
        { k: "c", l: null },
        { k: "d", l: [7] },
      ],
    ];
    expect(await run(plan, [utf8, int32], rows)).toEqual([
      ["a", 1],
      ["a", null],
      ["d", 7],
    ]);
  });
});

describe("runModel", () => {
  test("stops past max_rows, in the result and in the groups", async () => {
    const grouped: Plan = { node: "aggregate", input: scan, groups: [k], aggregates: [] };
    await expect(run(scan, [utf8, int32, float64, list(int32)], ROWS, { maxRows: 5 })).rejects.toBeInstanceOf(
      ModelTooLargeError,
    );
    await expect(
      run({ node: "limit", input: grouped, limit: 1, offset: 0 }, [utf8], ROWS, { maxRows: 2 }),
    ).rejects.toMatchObject({ code: "MODEL_TOO_LARGE" });
  });

  test("refuses another version of the IR, and inputs of another type", async () => {
    await expect(run(scan, [utf8], ROWS, { irVersion: IR_VERSION + 1 })).rejects.toBeInstanceOf(ModelMismatchError);
    const other: Plan = { node: "scan", table: "t", columns: [{ name: "k", type: int32 }] };
    await expect(run(other, [int32], ROWS)).rejects.toThrow("t.k is VARCHAR, the model reads INTEGER");
    const missing: Plan = { node: "scan", table: "t", columns: [{ name: "z", type: int32 }] };
    await expect(run(missing, [int32], ROWS)).rejects.toThrow("t has no column z");
  });
});

test("tuples are numbered by value: equal parts in other columns, NULL and empty text are kept apart", () => {
  const index = createTupleIndex(2);
  const text = columnOf({ kind: "utf8" }, ["ab", "a", "ab", "", null, null]);
  const floats = columnOf({ kind: "float64" }, [0, 1, -0, Number.NaN, Number.NaN, Number.NaN]);
  const { groups, fresh } = index.assign([text, floats], 6);
  expect([...groups]).toEqual([0, 1, 0, 2, 3, 3]);
  expect([...fresh]).toEqual([0, 1, 3, 4]);
  expect([...index.assign([text, floats], 6).fresh]).toEqual([]);
});
