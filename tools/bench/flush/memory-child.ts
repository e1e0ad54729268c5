/** Flushes the blocks of a folder and prints what memory that took (`memory.ts`). */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { contractOf } from "../../../contracts/registry.ts";
import type { BlockSource } from "../../../lakehouse/bronze/row-runs.ts";
import { writeBronze } from "../../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../../build/parquet-wasm-node.ts";
import { peakMemory } from "../memory/peak.ts";
import { forgetfulBucket } from "./forgetful-bucket.ts";

const [topic = "", folder = ""] = process.argv.slice(2);
const contract = contractOf(topic);
if (contract === undefined) throw new Error(`topic ${topic} is not compiled`);
const permit = loadParquetWasm();
const names = readdirSync(folder).sort();
// As a buffer's store has them: each read is a buffer of its own.
const blocks: BlockSource = {
  count: names.length,
  read(block) {
    const path = join(folder, names[block] ?? "");
    const bytes = new Uint8Array(statSync(path).size);
    const file = openSync(path, "r");
    readSync(file, bytes);
    closeSync(file);
    return bytes;
  },
  release: ({ buffer }) => void (buffer instanceof ArrayBuffer && buffer.transfer(0)),
};
const name = { topic, shard: 0, shardOf: 1, incarnation: "bench", seq: 1 };
let files = 0;
const peak = await peakMemory(async () => {
  files = (await writeBronze({ bucket: forgetfulBucket(), permit }, contract, name, blocks)).length;
});
console.log(JSON.stringify({ ...peak, files }));
