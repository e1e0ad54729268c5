/** A flush's memory at its worst, measured in processes of its own: the least of five runs (`npm run bench -- flush` has more). */
import { expect, test } from "vitest";
import { frozenBlocks } from "../../../../tools/bench/flush/frozen-blocks.ts";
import { flushMemory } from "../../../../tools/bench/flush/memory.ts";

// Garbage that waits for its collection counts, as it does on the platform.
test("a storm of 400 dates in 16 MB makes five files, within 60 MB of heap and Wasm together", async () => {
  const storm = frozenBlocks("weather", { bytes: 16_000_000, rows: 200_000, dates: 400 }, Date.UTC(2026, 9, 1));
  const { memory, files } = await flushMemory("weather", storm.blocks);
  // One for each of the two newest dates, and 150 of the rest together.
  expect(files).toBe(5);
  expect(memory / 1e6).toBeLessThan(60);
}, 180_000);
