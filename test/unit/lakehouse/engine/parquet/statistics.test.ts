import { beforeAll, expect, test } from "vitest";
import { createColumnBuilder, finishBatch } from "../../../../../lakehouse/engine/columns/builder.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { pushValue } from "../../../../../lakehouse/engine/columns/push-value.ts";
import { bytesSource, openParquet } from "../../../../../lakehouse/engine/parquet/reader.ts";
import { int64Range, mayHold } from "../../../../../lakehouse/engine/parquet/statistics.ts";
import { writeParquet } from "../../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { permit } from "../../../../oracle/permit.ts";

beforeAll(loadParquetWasm);

test("a row group's ranges are its values': times, texts however long or foreign, nothing where all is null", async () => {
  const fields: readonly Field[] = [
    { name: "at", type: { kind: "timestamp" }, nullable: false },
    { name: "text", type: { kind: "utf8" }, nullable: true },
    { name: "none", type: { kind: "utf8" }, nullable: true },
  ];
  const rows = [
    [5n, "pear", null],
    [-7n, "straße", null],
    [9_007_199_254_740_993n, "\u{1f34e}".repeat(200), null],
    [100n, null, null],
  ] as const;
  const builders = fields.map(({ type }) => createColumnBuilder(type));
  for (const row of rows) row.forEach((value, i) => void (builders[i] && pushValue(builders[i], value)));
  const bytes = await writeParquet(permit, { fields, batches: [finishBatch(fields, builders)], rowGroupRows: 3 });
  const file = await openParquet(bytesSource("test", bytes));
  expect(int64Range(file.range(0, "at"))).toEqual({ min: -7n, max: 9_007_199_254_740_993n });
  expect(int64Range(file.range(1, "at"))).toEqual({ min: 100n, max: 100n });
  const texts = file.range(0, "text");
  for (const text of ["pear", "straße", "\u{1f34e}".repeat(200), "q"]) expect(mayHold(texts, text)).toBe(true);
  for (const text of ["apple", "", "\u{1f34f}".repeat(3)]) expect(mayHold(texts, text)).toBe(false);
  expect(int64Range(texts)).toBeUndefined();
  for (const name of ["none", "nowhere"]) expect(file.range(0, name)).toBeUndefined();
  expect(file.range(9, "at")).toBeUndefined();
});
