/** Peak memory of the largest compactions that are ever planned (docs/benchmarks.md). */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contractOf } from "../../contracts/registry.ts";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { permitOfProcess } from "../../lakehouse/engine/parquet/wasm.ts";
import { COMPACTION_POLICY } from "../../lakehouse/upkeep/compaction/plan.ts";
import { loadParquetWasm } from "../build/parquet-wasm-node.ts";
import type { Bench } from "./bench.ts";
import { forgetfulBucket } from "./flush/forgetful-bucket.ts";
import { frozenBlocks } from "./flush/frozen-blocks.ts";
import { figure, runIsolate } from "./memory/isolate.ts";

const TOPIC = "orders";
const BUDGET_MB = 100;
const FLUSH_ROWS = 5_000;
const MIXED_DATES = 20;
const DAY = Date.UTC(2026, 9, 1);

export const bench: Bench = {
  explanation: `Merges small bronze files of ${TOPIC}, ${FLUSH_ROWS} rows each, into one, in a fresh process with an isolate's heap: as many files of one date as make
${COMPACTION_POLICY.maxBytes / 1e6} MB, and as many of ${MIXED_DATES} dates as make ${COMPACTION_POLICY.maxMixedRows} rows, the most that one compaction takes. The figure is the peak of JS heap,
ArrayBuffers and Wasm memory above the idle process, the worse of the two; budget ${BUDGET_MB} MB. Needs Linux (/proc).`,
  async run(log) {
    loadParquetWasm();
    let memory = 0;
    for (const dates of [1, MIXED_DATES]) {
      const folder = mkdtempSync(join(tmpdir(), "sluice-compaction-"));
      try {
        const { files, bytes } = await writeFiles(folder, dates);
        const figures = await runIsolate(join(import.meta.dirname, "compaction/memory-child.ts"), [
          TOPIC,
          folder,
          dates > 1 ? "mixed" : "",
        ]);
        const peak = figure(figures, "memory");
        memory = Math.max(memory, peak);
        const rows = figure(figures, "rows");
        log(
          `${dates === 1 ? "one date" : `${dates} dates`}: ${files} files, ${rows} rows, ${megabytes(bytes)} MB; ${megabytes(peak)} MB at the peak, ${megabytes(figure(figures, "resident"))} MB resident`,
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    const ratio = memory / 1e6 / BUDGET_MB;
    return { ratio, budget: 1, ok: ratio <= 1, memory_mb: Number(megabytes(memory)), memory_budget_mb: BUDGET_MB };
  },
};

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Flushes the same rows until the policy's bound is reached. */
async function writeFiles(folder: string, dates: number): Promise<{ files: number; bytes: number }> {
  const contract = contractOf(TOPIC);
  if (contract === undefined) throw new Error(`topic ${TOPIC} is not compiled`);
  const { blocks, rows } = frozenBlocks(TOPIC, { bytes: Number.POSITIVE_INFINITY, rows: FLUSH_ROWS, dates }, DAY);
  const source = { count: blocks.length, read: (block: number) => blocks[block] ?? new Uint8Array(0) };
  const { maxBytes, maxMixedRows } = COMPACTION_POLICY;
  let files = 0;
  let bytes = 0;
  const bucket = forgetfulBucket((object) => {
    writeFileSync(join(folder, `${String(files++).padStart(4, "0")}.parquet`), object);
    bytes += object.byteLength;
  });
  while (dates === 1 ? bytes < maxBytes : (files + 1) * rows <= maxMixedRows) {
    await writeBronze(
      { bucket, permit: permitOfProcess() },
      contract,
      { topic: TOPIC, shard: 0, shardOf: 1, incarnation: "bench", seq: files },
      source,
    );
  }
  return { files, bytes };
}
