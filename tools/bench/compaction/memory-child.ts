/** Merges the bronze files of a folder into one and prints what memory that took (`../compaction.ts`). */
import { readdirSync } from "node:fs";
import { contractOf } from "../../../contracts/registry.ts";
import { mergeFiles } from "../../../lakehouse/upkeep/compaction/merge.ts";
import { loadParquetWasm } from "../../build/parquet-wasm-node.ts";
import { peakMemory } from "../memory/peak.ts";
import { fileSource } from "./file-source.ts";

const [topic = "", folder = "", mixed = ""] = process.argv.slice(2);
const contract = contractOf(topic);
if (contract === undefined) throw new Error(`topic ${topic} is not compiled`);
const permit = loadParquetWasm();
const sources = readdirSync(folder)
  .sort()
  .map((name) => async () => fileSource(folder, name));
let rows = 0;
let bytes = 0;
const peak = await peakMemory(async () => {
  const merged = await mergeFiles(permit, sources, contract, { mixed: mixed === "mixed", metadata: {} });
  rows = merged.rows;
  bytes = merged.bytes.length;
});
console.log(JSON.stringify({ ...peak, rows, bytes }));
