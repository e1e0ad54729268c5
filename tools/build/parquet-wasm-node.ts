import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { installParquetWasm, permitOfProcess, type WasmPermit } from "../../lakehouse/engine/parquet/wasm.ts";

/** Compiles parquet-wasm from its package and installs it, for tests and tools in Node. Calling it again does nothing. */
export function loadParquetWasm(): WasmPermit {
  const path = createRequire(import.meta.url).resolve("parquet-wasm/esm/parquet_wasm_bg.wasm");
  installParquetWasm(readFileSync(path));
  return permitOfProcess();
}
