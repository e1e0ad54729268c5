/** Flushes the blocks of a folder and prints what memory that took (`memory.ts`). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contractOf } from "../../../contracts/registry.ts";
import { writeBronze } from "../../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../../build/parquet-wasm-node.ts";
import { peakMemory } from "../memory/peak.ts";
import { forgetfulBucket } from "./forgetful-bucket.ts";

const [topic = "", folder = ""] = process.argv.slice(2);
const contract = contractOf(topic);
if (contract === undefined) throw new Error(`topic ${topic} is not compiled`);
loadParquetWasm();
const names = readdirSync(folder).sort();
const blocks = {
  count: names.length,
  read: (block: number) => new Uint8Array(readFileSync(join(folder, names[block] ?? ""))),
};
const name = { topic, shard: 0, shardOf: 1, incarnation: "bench", seq: 1 };
let files = 0;
const peak = await peakMemory(async () => {
  files = (await writeBronze(forgetfulBucket(), contract, name, blocks)).length;
});
console.log(JSON.stringify({ ...peak, files }));
