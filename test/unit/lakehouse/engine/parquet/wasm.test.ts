import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { bytesSource, readParquet, readParquetSchema } from "../../../../../lakehouse/engine/parquet/reader.ts";
import {
  releaseWasmOf,
  tryAcquireWasm,
  type WasmHold,
  type WasmPermit,
  WasmPermitGoneError,
} from "../../../../../lakehouse/engine/parquet/wasm.ts";
import { createParquetWriter, writeParquet } from "../../../../../lakehouse/engine/parquet/writer.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { batchOf } from "../columns/column-of.ts";
import { everyType } from "./every-type.ts";

const number = { name: "n", type: { kind: "int32" }, nullable: false } as const satisfies Field;

// One test: the order matters, for parquet-wasm cannot be uninstalled.
test("use before installation fails loudly; installing twice is the same as once", async () => {
  // Other files of the same worker have installed it in the modules that all share.
  vi.resetModules();
  const { bytesSource, readParquetSchema } = await import("../../../../../lakehouse/engine/parquet/reader.ts");
  const { ParquetWasmNotInstalledError, tryAcquireWasm } = await import(
    "../../../../../lakehouse/engine/parquet/wasm.ts"
  );
  const { writeParquet } = await import("../../../../../lakehouse/engine/parquet/writer.ts");
  const { loadParquetWasm } = await import("../../../../../tools/build/parquet-wasm-node.ts");
  using permit = tryAcquireWasm();
  if (permit === undefined) throw new Error("somebody holds it");
  await expect(writeParquet(permit, { fields: everyType, batches: [] })).rejects.toThrow(ParquetWasmNotInstalledError);
  loadParquetWasm();
  loadParquetWasm();
  const bytes = await writeParquet(permit, { fields: everyType, batches: [] });
  expect(await readParquetSchema(permit, bytesSource("empty", bytes))).toEqual(everyType);
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

describe("a permit that is gone cannot be used", () => {
  const bytesOf = async () => writeParquet(loadParquetWasm(), { fields: everyType, batches: [] });

  test("after it was given back", async () => {
    const bytes = await bytesOf();
    const permit = acquired();
    permit[Symbol.dispose]();
    await expect(writeParquet(permit, { fields: everyType, batches: [] })).rejects.toThrow(WasmPermitGoneError);
    await expect(readParquetSchema(permit, bytesSource("empty", bytes))).rejects.toThrow(WasmPermitGoneError);
    await expect(readParquet(permit, bytesSource("empty", bytes)).next()).rejects.toThrow(WasmPermitGoneError);
  });

  test("in the middle of a file, once its time was up and another operation began", async () => {
    let time = 1_000;
    const now = () => time;
    const slow = acquired({ longestMs: 500, now });
    const writer = createParquetWriter(slow, { fields: [number], rowGroupRows: 1 });
    const batch = batchOf([number], [{ n: 1 }]);
    writer.add(batch);
    time += 500;
    writer.add(batch);
    using _next = acquired({ now });
    expect(() => writer.finish()).toThrow(WasmPermitGoneError);
  });
});

function acquired(hold?: WasmHold): WasmPermit {
  const permit = tryAcquireWasm(hold);
  if (permit === undefined) throw new Error("somebody holds it");
  return permit;
}

test("no code of the Worker makes itself a permit that nobody waits for", () => {
  const root = resolve(import.meta.dirname, "../../../../..");
  const layers = [
    "worker.ts",
    ...["lakehouse", "durable-objects", "queue-consumers", "scheduled", "gateway"].map((layer) => `${layer}/**/*.ts`),
  ];
  const made = globSync(layers, { cwd: root }).flatMap((path) => {
    const lines = readFileSync(resolve(root, path), "utf8").split("\n");
    return lines.filter((line) => line.includes("permitOfProcess(") && !line.startsWith("keepShape(")).map(() => path);
  });
  // The declaration alone.
  expect(made).toEqual(["lakehouse/engine/parquet/wasm.ts"]);
});
