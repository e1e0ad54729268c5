/** Flushes the blocks of a folder in this process, which does nothing else, and prints what memory it took (`memory.ts`). */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import v8, { type GCProfilerResult } from "node:v8";
import { contractOf } from "../../../contracts/registry.ts";
import { writeBronze } from "../../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../../build/parquet-wasm-node.ts";
import { forgetfulBucket } from "./forgetful-bucket.ts";

const [topic = "", folder = ""] = process.argv.slice(2);
const contract = contractOf(topic);
const { gc } = globalThis;
if (contract === undefined || gc === undefined) throw new Error("node --expose-gc memory-child.ts TOPIC FOLDER");
loadParquetWasm();
const names = readdirSync(folder).sort();
const blocks = {
  count: names.length,
  read: (block: number) => new Uint8Array(readFileSync(join(folder, names[block] ?? ""))),
};

type Heap = GCProfilerResult["statistics"][number]["beforeGC"]["heapStatistics"];

/** V8's count of external memory has ArrayBuffers and Wasm memories in it. */
function bytesOf(heap: Pick<Heap, "usedHeapSize" | "externalMemory">): number {
  return heap.usedHeapSize + heap.externalMemory;
}

function bytesNow(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return bytesOf({ usedHeapSize: used_heap_size, externalMemory: external_memory });
}

function residentPeak(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * 1_024;
}

gc();
gc();
const idle = bytesNow();
// Sets the peak back to what is resident now (proc(5)).
writeFileSync("/proc/self/clear_refs", "5");
const idleResident = residentPeak();
// Between two collections memory only grows, so the peak is what one of them met, or the end.
const profiler = new v8.GCProfiler();
profiler.start();
const bucket = forgetfulBucket();
const files = await writeBronze(
  bucket,
  contract,
  { topic, shard: 0, shardOf: 1, incarnation: "bench", seq: 1 },
  blocks,
);
const end = bytesNow();
const collections = profiler.stop()?.statistics ?? [];
const peak = Math.max(end, ...collections.map(({ beforeGC }) => bytesOf(beforeGC.heapStatistics)));
const figures = { memory: peak - idle, resident: residentPeak() - idleResident, files: files.length };
console.log(JSON.stringify(figures));
