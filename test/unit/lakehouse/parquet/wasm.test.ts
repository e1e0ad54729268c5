import { expect, test } from "vitest";
import { bytesSource, readParquetSchema } from "../../../../lakehouse/parquet/reader.ts";
import { ParquetWasmNotInstalledError, tryAcquireWasm } from "../../../../lakehouse/parquet/wasm.ts";
import { writeParquet } from "../../../../lakehouse/parquet/writer.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { everyType } from "./every-type.ts";

// One test: the order matters, for parquet-wasm cannot be uninstalled.
test("use before installation fails loudly; installing twice is the same as once", async () => {
  await expect(writeParquet({ fields: everyType, batches: [] })).rejects.toThrow(ParquetWasmNotInstalledError);
  loadParquetWasm();
  loadParquetWasm();
  const bytes = await writeParquet({ fields: everyType, batches: [] });
  expect(await readParquetSchema(bytesSource("empty", bytes))).toEqual(everyType);
});

test("one holder at a time; disposing twice frees once", () => {
  const first = tryAcquireWasm();
  expect(first).toBeDefined();
  expect(tryAcquireWasm()).toBeUndefined();
  first?.[Symbol.dispose]();
  const second = tryAcquireWasm();
  expect(second).toBeDefined();
  first?.[Symbol.dispose]();
  expect(tryAcquireWasm()).toBeUndefined();
  second?.[Symbol.dispose]();
  {
    using third = tryAcquireWasm();
    expect(third).toBeDefined();
  }
  const fourth = tryAcquireWasm();
  expect(fourth).toBeDefined();
  fourth?.[Symbol.dispose]();
});
