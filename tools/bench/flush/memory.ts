/** Peak memory of one flush, measured in a fresh Node process with an isolate's 128 MB heap. Needs Linux (/proc). */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The heap of a Worker's isolate: V8 sizes its young generation and its collections by it. */
const ISOLATE_MB = 128;

export interface FlushMemory {
  /** Bytes of JS heap, ArrayBuffers and Wasm memory at their peak, above what the idle process has. Garbage that waits for its collection counts. */
  readonly memory: number;
  /** Bytes resident at their peak, above the idle process: compiled code and the allocator's own are in it. */
  readonly resident: number;
  readonly files: number;
}

export async function flushMemory(topic: string, blocks: readonly Uint8Array[]): Promise<FlushMemory> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-flush-"));
  try {
    for (const [i, block] of blocks.entries()) writeFileSync(join(folder, String(i).padStart(4, "0")), block);
    const child = join(import.meta.dirname, "memory-child.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", `--max-heap-size=${ISOLATE_MB}`, child, topic, folder],
      { timeout: 120_000 },
    );
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
