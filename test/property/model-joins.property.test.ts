import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runModel } from "../../lakehouse/builds/models/run.ts";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import { ModelTooLargeError } from "../../lakehouse/engine/ir/errors.ts";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import type { TableSchema } from "../../tools/build/models/compile-models.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { arbitraryRows, sampleTable } from "../oracle/shop-tables.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { statements } from "./join-statements.ts";
import { compileStatements, cuts, judge, load } from "./model-judge.ts";

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true });

const lookupTable: TableSchema = {
  name: "u",
  partition: "d",
  fields: [
    field("d", { kind: "date" }),
    field("k", { kind: "utf8" }),
    field("v", { kind: "int32" }),
    field("note", { kind: "utf8" }),
    field("n", { kind: "int64" }),
    field("x", { kind: "float64" }),
    field("b", { kind: "bool" }),
    field("big", { kind: "decimal", precision: 30, scale: 5 }),
    field("ts", { kind: "timestamp" }),
    field("labels", { kind: "list", item: field("item", { kind: "utf8" }) }),
  ],
};

/** Few values of what is joined by, so that keys meet, repeat and are missed. */
const few = {
  d: fc.integer({ min: -1, max: 1 }),
  n: fc.constantFrom(0n, 1n, -(2n ** 63n), 2n ** 63n - 1n),
  x: fc.constantFrom(0, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY),
  big: fc.constantFrom("0.00000", "-1.00000", "9999999999999999999999999.99999"),
  ts: fc.constantFrom(0n, -1n, 86_400_000_000n),
};

let oracle: DuckDBOracle;
let models: ReadonlyMap<string, EdgeModel>;

function modelOf(name: string): EdgeModel {
  const model = models.get(name);
  if (model === undefined) throw new Error(`${name} was not compiled`);
  return model;
}

beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
  models = await compileStatements(statements, [sampleTable, lookupTable]);
});
afterAll(() => oracle[Symbol.asyncDispose]());

for (const name of Object.keys(statements)) {
  test(
    `${name} gives DuckDB's rows`,
    async () => {
      const both = [arbitraryRows(sampleTable, few), arbitraryRows(lookupTable, few)] as const;
      await fc.assert(
        fc.asyncProperty(...both, cuts, async (rows, lookup, cut) => {
          const tables = [
            { table: sampleTable, rows },
            { table: lookupTable, rows: lookup },
          ];
          await judge(oracle, modelOf(name), await load(oracle, tables, cut));
        }),
        { numRuns: longOrShare(50, 6) },
      );
    },
    longOrShare(900_000, 60_000),
  );
}

test(
  "a right side past its bound is refused with what to do, and a left side of any size is not",
  async () => {
    const rowsOf = (table: TableSchema, count: number, note: string) =>
      batchOf(
        table.fields,
        Array.from({ length: count }, (_, row) => ({ d: 0, k: String(row), note })),
      );
    const run = (left: number, right: number, note: string) =>
      runModel(modelOf("semi_join"), {
        async *scan(name, columns) {
          const batch = name === "t" ? rowsOf(sampleTable, left, note) : rowsOf(lookupTable, right, note);
          const kept = batch.fields.flatMap((one, at) => (columns.includes(one.name) ? [at] : []));
          yield {
            ...batch,
            fields: kept.map((at) => batch.fields[at]!),
            columns: kept.map((at) => batch.columns[at]!),
          };
        },
      });
    expect((await run(1000, 100_000, "")).length).toBe(1000);
    await expect(run(1, 100_001, "")).rejects.toThrow(
      /joins a right side of more than 100000 rows .* put the smaller table at the right, and filter it/,
    );
    await expect(run(1, 100_001, "")).rejects.toBeInstanceOf(ModelTooLargeError);
  },
  longOrShare(900_000, 60_000),
);
