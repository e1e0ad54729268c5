/** What a buffer remembers of its messages, in memory, after days of traffic (docs/benchmarks.md). */
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { figure, runIsolate } from "./memory/isolate.ts";

const HOURS = 100;
const MESSAGES_A_SECOND = 10;
const BUDGET_MB = 2;

export const bench: Bench = {
  explanation: `Takes the ids of ${HOURS} hours of ${MESSAGES_A_SECOND} messages a second into a buffer's memory of ids, with a flush a minute and every tenth minute a minute of
an hour ago delivered again, in a fresh process with an isolate's heap. The figure is what JS heap and ArrayBuffers hold after it, above the idle process: several buffers share an
isolate. Budget ${BUDGET_MB} MB. Beside it the CPU of an id, look-up and note together, and whether every repeat was known.`,
  async run(log) {
    const script = join(import.meta.dirname, "buffer/memory-child.ts");
    const figures = await runIsolate(script, [String(HOURS), String(MESSAGES_A_SECOND)]);
    const memory = figure(figures, "memory") / 1e6;
    const exact = figure(figures, "missed") === 0;
    log(
      `${figure(figures, "messages")} messages: ${memory.toFixed(2)} MB held, ${figure(figures, "micros").toFixed(2)} us of CPU an id`,
    );
    const ratio = memory / BUDGET_MB;
    return { ratio, budget: 1, ok: ratio <= 1 && exact, exact, memory_mb: memory, memory_budget_mb: BUDGET_MB };
  },
};
