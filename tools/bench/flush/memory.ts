/** Peak memory of one flush, measured in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { figure, runIsolate } from "../memory/isolate.ts";
import type { PeakMemory } from "../memory/peak.ts";

export interface FlushMemory extends PeakMemory {
  readonly files: number;
  /** The `memory` of the run that took most. */
  readonly highest: number;
}

/**
 * V8 lets ArrayBuffers of 64 MB gather before it collects on their account, and when else it does is chance: the run that took least
 * says best what a flush needs.
 */
const RUNS = 5;

/** Of some flushes of these blocks, one after the other, the one that took least. */
export async function flushMemory(topic: string, blocks: readonly Uint8Array[]): Promise<FlushMemory> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-flush-"));
  try {
    for (const [i, block] of blocks.entries()) writeFileSync(join(folder, String(i).padStart(4, "0")), block);
    const runs: Omit<FlushMemory, "highest">[] = [];
    for (let run = 0; run < RUNS; run++) {
      const figures = await runIsolate(join(import.meta.dirname, "memory-child.ts"), [topic, folder]);
      const [memory, resident] = [figure(figures, "memory"), figure(figures, "resident")];
      runs.push({ memory, resident, files: figure(figures, "files") });
    }
    const highest = Math.max(...runs.map(({ memory }) => memory));
    return { ...runs.reduce((least, run) => (run.memory < least.memory ? run : least)), highest };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
