/** Takes message ids as a buffer does, flush by flush, and prints what stays in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import v8 from "node:v8";
import { NotedIdStore } from "../../../durable-objects/topic-buffer/noted-id-store.ts";
import { RememberedIds } from "../../../durable-objects/topic-buffer/remembered-ids.ts";
import { prepareSchema } from "../../../durable-objects/topic-buffer/schema.ts";
import { storageOnDisk } from "./storage-on-disk.ts";

const [hours = 0, rate = 0] = process.argv.slice(2).map(Number);
const START = Date.UTC(2026, 10, 1);
const FLUSH_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Messages of one append. */
const APPEND = 100;

const folder = mkdtempSync(join(tmpdir(), "sluice-buffer-"));
try {
  console.log(JSON.stringify(measure()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(): Record<string, number> {
  const sql = storageOnDisk(join(folder, "buffer.sqlite"));
  prepareSchema(sql);
  const noted = new NotedIdStore(sql);
  const ids = new RememberedIds({ noted, unnotedIds: () => [] });
  const idle = held();
  const started = process.cpuUsage().user;
  let messages = 0;
  let missed = 0;
  const append = (made: readonly string[], repeated: boolean): void => {
    for (let at = 0; at < made.length; at += APPEND) {
      const some = made.slice(at, at + APPEND);
      const known = ids.known(some);
      missed += repeated ? some.length - known.size : known.size;
      if (!repeated) ids.add(some);
    }
    messages += made.length;
  };
  for (let from = START; from < START + hours * HOUR_MS; from += FLUSH_MS) {
    const made = idsFrom(from);
    append(made, false);
    if (from % (10 * FLUSH_MS) === 0 && from >= START + HOUR_MS) append(idsFrom(from - HOUR_MS), true);
    noted.add(made);
    ids.reset();
  }
  const micros = (process.cpuUsage().user - started) / messages;
  return { memory: held() - idle, messages, missed, micros };
}

/** The ids of a minute, UUIDv7 whose last bytes are pseudo-random. */
function idsFrom(from: number): string[] {
  return Array.from({ length: (FLUSH_MS / 1_000) * rate }, (_, n) => {
    const time = (from + Math.floor((n * 1_000) / rate)).toString(16).padStart(12, "0");
    const rest = (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${rest}`;
  });
}

function held(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}
