/** Peak memory of one flush, measured in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { figure, runIsolate } from "../memory/isolate.ts";
import type { PeakMemory } from "../memory/peak.ts";

export interface FlushMemory extends PeakMemory {
  readonly files: number;
}

export async function flushMemory(topic: string, blocks: readonly Uint8Array[]): Promise<FlushMemory> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-flush-"));
  try {
    for (const [i, block] of blocks.entries()) writeFileSync(join(folder, String(i).padStart(4, "0")), block);
    const figures = await runIsolate(join(import.meta.dirname, "memory-child.ts"), [topic, folder]);
    return {
      memory: figure(figures, "memory"),
      resident: figure(figures, "resident"),
      files: figure(figures, "files"),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
