/** A lake by its pointers in pyarrow: the date of a row is the same by its file's path and by its column, in bronze, silver and gold. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { contracts } from "../../contracts/registry.ts";
import { publishAllBronze } from "../../lakehouse/tables/bronze/pointer.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { compactAll } from "../oracle/compaction.ts";
import { uuidAt } from "../oracle/frames.ts";
import { Lake } from "../oracle/lake.ts";
import { weatherMessage } from "../oracle/weather.ts";
import type { Outcome, Subject } from "./subject.ts";

const SCRIPT = new URL("./hive/read.py", import.meta.url).pathname;
const NOON = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;
/** How many days before their reception events of a flush happened: two dates of its own, and two that share a file. */
const DAYS_AGO = [0, 0, 1, 5, 6];
const FLUSHES = 3;

const line = z.object({ table: z.string(), problems: z.array(z.string()) });

export const subject: Subject = {
  name: "hive",
  async *run(python, folder): AsyncGenerator<Outcome> {
    if (!(await python.has("pyarrow"))) {
      yield { who: "pyarrow", what: "tables by their pointers", result: "skipped", detail: "pip install pyarrow" };
      return;
    }
    const expected = await writeLake(folder);
    const { stdout, stderr } = await python.run([SCRIPT, folder, expected]);
    const told = stdout.split("\n").flatMap((text) => (text.startsWith("{") ? [line.parse(JSON.parse(text))] : []));
    for (const { table, problems } of told) {
      const result = problems.length === 0 ? "ok" : "FAILED";
      yield { who: "pyarrow", what: table, result, detail: problems.join("; ") };
    }
    if (told.length < 2)
      yield { who: "pyarrow", what: "tables by their pointers", result: "FAILED", detail: stderr.trim().slice(-300) };
  },
};

/** Compacted bronze with what it replaced beside it, and silver; the path of a JSON file with the rows of each date, by table. */
async function writeLake(folder: string): Promise<string> {
  loadParquetWasm();
  const lake = new Lake(NOON);
  const counts = new Map<string, number>();
  for (let flush = 0; flush < FLUSHES; flush++) {
    const events = DAYS_AGO.map((ago, n) => ({ eventId: `${flush}-${n}`, at: (NOON - ago * DAY_MS) * 1_000 }));
    for (const { at } of events) {
      const date = new Date(at / 1_000).toISOString().slice(0, 10);
      counts.set(date, (counts.get(date) ?? 0) + 1);
    }
    const message = weatherMessage({ messageId: uuidAt(lake.now, flush), received: lake.now * 1_000, events });
    await lake.land("weather", [message]);
    lake.now += 60_000;
  }
  lake.now += 2 * 3_600_000;
  await compactAll(lake);
  await lake.settle();
  await publishAllBronze(lake.d1.binding, lake.bucket, contracts);
  for (const [key, { bytes }] of lake.bucket.objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
  const rows = Object.fromEntries(counts);
  const path = join(folder, "expected.json");
  writeFileSync(path, JSON.stringify({ "bronze/weather": rows, "silver/weather": rows }));
  return path;
}
