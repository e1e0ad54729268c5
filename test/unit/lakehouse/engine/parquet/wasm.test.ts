import { expect, test, vi } from "vitest";
import { releaseWasmOf, tryAcquireWasm } from "../../../../../lakehouse/engine/parquet/wasm.ts";
import { everyType } from "./every-type.ts";

// One test: the order matters, for parquet-wasm cannot be uninstalled.
test("use before installation fails loudly; installing twice is the same as once", async () => {
  // Other files of the same worker have installed it in the modules that all share.
  vi.resetModules();
  const { bytesSource, readParquetSchema } = await import("../../../../../lakehouse/engine/parquet/reader.ts");
  const { ParquetWasmNotInstalledError } = await import("../../../../../lakehouse/engine/parquet/wasm.ts");
  const { writeParquet } = await import("../../../../../lakehouse/engine/parquet/writer.ts");
  const { loadParquetWasm } = await import("../../../../../tools/build/parquet-wasm-node.ts");
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

test("a holder that was ended in the middle: free when its time is up, and what it still does then frees nothing", () => {
  let time = 1_000;
  const now = () => time;
  const dead = tryAcquireWasm({ longestMs: 500, now });
  time += 499;
  expect(tryAcquireWasm({ now })).toBeUndefined();
  time += 1;
  using next = tryAcquireWasm({ now });
  expect(next).toBeDefined();
  dead?.[Symbol.dispose]();
  expect(tryAcquireWasm({ now })).toBeUndefined();
});

test("an object that begins frees what its predecessor held, and nobody else's", () => {
  const dead = tryAcquireWasm({ owner: "a" });
  releaseWasmOf("b");
  expect(tryAcquireWasm()).toBeUndefined();
  releaseWasmOf("a");
  using next = tryAcquireWasm();
  expect(next).toBeDefined();
  dead?.[Symbol.dispose]();
  releaseWasmOf("a");
  expect(tryAcquireWasm()).toBeUndefined();
});
