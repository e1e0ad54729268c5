/** Peak memory of some work in this process, which should do nothing else. Needs Linux (/proc) and `node --expose-gc`. */
import { readFileSync, writeFileSync } from "node:fs";
import v8, { type GCProfilerResult } from "node:v8";

export interface PeakMemory {
  /** Bytes of JS heap, ArrayBuffers and Wasm memory at their peak, above what the idle process has. Garbage that waits for its collection counts. */
  readonly memory: number;
  /** Bytes resident at their peak, above the idle process: compiled code and the allocator's own are in it. */
  readonly resident: number;
}

export async function peakMemory(work: () => Promise<unknown>): Promise<PeakMemory> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("peak memory is measured under node --expose-gc");
  gc();
  gc();
  const idle = bytesNow();
  // Sets the peak back to what is resident now (proc(5)).
  writeFileSync("/proc/self/clear_refs", "5");
  const idleResident = residentPeak();
  // Between two collections memory only grows, so the peak is what one of them met, or the end.
  const profiler = new v8.GCProfiler();
  profiler.start();
  await work();
  const end = bytesNow();
  const collections = profiler.stop()?.statistics ?? [];
  const peak = Math.max(end, ...collections.map(({ beforeGC }) => bytesOf(beforeGC.heapStatistics)));
  return { memory: peak - idle, resident: residentPeak() - idleResident };
}

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
