import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordHashes, recordHashSql } from "../../lakehouse/builds/silver/record-hash.ts";
import type { Field } from "../../lakehouse/engine/columns/column.ts";
import { valueAt } from "../../lakehouse/engine/columns/value.ts";
import { writeParquet } from "../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { permit } from "../oracle/permit.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";
import { DuckDBOracle } from "../unit/lakehouse/engine/parquet/duckdb.ts";
import { arbitraryFields, arbitraryRows } from "./arbitrary-batch.ts";

let oracle: DuckDBOracle;
beforeAll(async () => {
  loadParquetWasm();
  oracle = await DuckDBOracle.open();
});
afterAll(() => oracle[Symbol.asyncDispose]());

async function bothWays(fields: readonly Field[], rows: Parameters<typeof batchOf>[1]) {
  const batch = batchOf(fields, rows);
  const bytes = await writeParquet(permit, { fields, batches: [batch] });
  const column = recordHashes(
    batch,
    fields.map(({ name }) => name),
  );
  const ours = rows.map((_, row) => ({ record_hash: valueAt(column, row) }));
  const theirs = await oracle.query(bytes, `SELECT ${recordHashSql(fields)} AS record_hash FROM read_parquet(FILE)`);
  return { ours, theirs };
}

/** DuckDB takes the extremes of a time for infinity, which no event can bring: times end in 2255. */
const INFINITY_MICROS = 9_223_372_036_854_775_807n;

function mentions(value: unknown, wanted: bigint): boolean {
  if (value === wanted || value === -wanted) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((inner) => mentions(inner, wanted));
}

test(
  "the hash of a record is what its definition gives in DuckDB, for rows of any type",
  async () => {
    const tables = arbitraryFields.chain((fields) =>
      fc.record({ fields: fc.constant(fields), rows: arbitraryRows(fields) }),
    );
    await fc.assert(
      fc.asyncProperty(tables, async ({ fields, rows }) => {
        fc.pre(!mentions(rows, INFINITY_MICROS));
        const { ours, theirs } = await bothWays(fields, rows);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: longOrShare(100, 35) },
    );
  },
  longOrShare(900_000, 60_000),
);

test("doubles of every kind have one text, and records that differ have other hashes", async () => {
  const double: Field = { name: "v", type: { kind: "float64" }, nullable: true };
  const values = [0.1, 1e300, 5e-324, -1.5, 1e21, 123456789.125, 0, Number.NaN, Number.POSITIVE_INFINITY, null];
  const { ours, theirs } = await bothWays(
    [double],
    values.map((v) => ({ v })),
  );
  expect(ours).toEqual(theirs);
  expect(new Set(ours.map(({ record_hash }) => record_hash)).size).toBe(values.length);
  const minus = await bothWays([double], [{ v: -0 }, { v: 0 }]);
  expect(minus.ours).toEqual(minus.theirs);
  expect(minus.ours[0]).toEqual(minus.ours[1]);

  const texts: Field[] = ["a", "b"].map((name) => ({ name, type: { kind: "utf8" }, nullable: true }));
  const pairs = [
    { a: "x", b: "" },
    { a: "", b: "x" },
    { a: "x;", b: null },
    { a: "x", b: null },
    { a: "~", b: "~" },
    { a: null, b: null },
    { a: "1:x;", b: "" },
  ];
  const more = await bothWays([...texts, { name: "c", type: { kind: "int32" }, nullable: true }], pairs);
  const split = await bothWays(texts, pairs);
  expect(more.ours).toEqual(split.ours);
  expect(split.ours).toEqual(split.theirs);
  expect(new Set(split.ours.map(({ record_hash }) => record_hash)).size).toBe(pairs.length);
});
