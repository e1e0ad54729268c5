/** What the native builder costs beside DuckDB itself: the same rows, read from the platform and published there, and on local files. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import * as z from "zod";
import { bytesOf } from "../../builder/options.ts";
import { quoteText } from "../../schemas/sql-quoting.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { startBuilderProcess } from "../local-platform/builder-process.ts";
import { type Platform, startPlatform } from "../local-platform/platform.ts";
import type { Bench } from "./bench.ts";
import { placeClicks, SILVER, untilWaiting, writeClicks } from "./native/large-silver.ts";
import { projectWithSessions, SESSIONS, SESSIONS_SQL } from "./native/session-model.ts";

const ROWS = 12_000_000;
const MEMORY = "2GB";
/** Each is measured so often, in turns; the best of each counts. */
const ROUNDS = 2;
const BUDGET = 1.5;
/** Of the process, beyond what DuckDB may hold. */
const MEMORY_BUDGET_BYTES = 300_000_000;

export const bench: Bench = {
  explanation: `A date of ${ROWS.toLocaleString("en")} clicks (--rows N) becomes sessions by a window over all of them, sorted, as Parquet in ZSTD. The builder is a process of its own
with ${MEMORY} (--memory SIZE): it asks the local platform for the partition, fetches 12 files, runs the SQL, checks the rows, uploads and commits. Against it the same SELECT and COPY
by DuckDB on local files, with the same memory and threads. Budget: ${BUDGET} times the wall clock, and a peak of resident memory of at most ${MEMORY_BUDGET_BYTES / 1e6} MB over what DuckDB is given.`,
  async run(log, args) {
    const { values } = parseCommandLine([...args], {
      options: { rows: { type: "string", default: String(ROWS) }, memory: { type: "string", default: MEMORY } },
    });
    const rows = integerFlag("rows", values.rows, 1_000, 1_000_000_000);
    const memoryBytes = bytesOf(values.memory);
    if (memoryBytes === undefined) throw new CommandProblem("USAGE", "--memory takes a size such as 2GB.");
    const folder = mkdtempSync(join(tmpdir(), "sluice-native-"));
    try {
      const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
      const paths = await writeClicks(join(folder, "clicks"), date, rows);
      log(`${rows.toLocaleString("en")} rows of ${date} are written`);
      const root = join(folder, "project");
      const bundle = await projectWithSessions(resolve(import.meta.dirname, "../.."), root);
      const platform = await startPlatform({
        root,
        bundle,
        stateDir: join(folder, "state"),
        port: 0,
        planEverySeconds: 1,
      });
      try {
        await placeClicks(platform, date, paths, rows);
        return await measure(platform, { folder, date, paths, memory: values.memory, memoryBytes }, log);
      } finally {
        await platform.stop();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Measured {
  readonly folder: string;
  readonly date: string;
  readonly paths: readonly string[];
  readonly memory: string;
  readonly memoryBytes: number;
}

async function measure(platform: Platform, what: Measured, log: (line: string) => void) {
  const [bare, native, peaks]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareMs(what));
    if (round > 0) await waitAgain(platform, what.date);
    const event = await built(platform, what, round);
    native.push(event.total_ms);
    peaks.push(event.peak_memory_bytes);
    const { fetch_ms, run_ms, check_ms, upload_ms, rows_out } = event;
    log(
      `round ${round + 1}: DuckDB ${bare.at(-1)} ms; builder ${event.total_ms} ms (fetch ${fetch_ms}, run ${run_ms}, check ${check_ms}, upload and commit ${upload_ms}), ${rows_out} rows, peak ${Math.round(event.peak_memory_bytes / 1e6)} MB`,
    );
  }
  const [bare_ms, builder_ms] = [Math.min(...bare), Math.min(...native)];
  const over = Math.max(...peaks) - what.memoryBytes;
  const ratio = builder_ms / bare_ms;
  const ok = ratio <= BUDGET && over <= MEMORY_BUDGET_BYTES;
  const peak_memory_mb = Math.round(Math.max(...peaks) / 1e6);
  return {
    ratio,
    budget: BUDGET,
    ok,
    bare_ms,
    builder_ms,
    peak_memory_mb,
    memory_limit_mb: Math.round(what.memoryBytes / 1e6),
  };
}

const built_event = z.object({
  ...{ outcome: z.string(), message: z.string().nullable(), rows_out: z.number(), total_ms: z.number() },
  ...{ fetch_ms: z.number(), run_ms: z.number(), check_ms: z.number(), upload_ms: z.number() },
  peak_memory_bytes: z.number(),
});

/** One builder with an empty folder, until nothing waits: its build of the date. */
async function built({ url, apiKey }: Platform, { folder, memory }: Measured, round: number) {
  const events: z.infer<typeof built_event>[] = [];
  const builder = startBuilderProcess({
    ...{ url, apiKey, memory, once: true, dir: join(folder, `builder-${round}`) },
    onBuilt: (event) => void events.push(built_event.parse(JSON.parse(event))),
    log: (line) => console.error(line),
  });
  await builder.gone;
  const [event] = events;
  if (events.length !== 1 || event?.outcome !== "published")
    throw new Error(`the builder's builds were ${JSON.stringify(events)}`);
  return event;
}

/** The date is to be built again, as an operator asks for it. */
async function waitAgain(platform: Platform, date: string): Promise<void> {
  await platform.db
    .prepare("UPDATE partition_meta SET status = 'REPROCESSING' WHERE domain = ?1 AND partition_date = ?2")
    .bind(SESSIONS, date)
    .run();
  await untilWaiting(platform, date);
}

async function bareMs({ folder, paths, memoryBytes }: Measured): Promise<number> {
  const startedAt = performance.now();
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(availableParallelism()),
    memory_limit: `${Math.floor(memoryBytes / 1_000)}KB`,
    temp_directory: join(folder, "bare-spill"),
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run("SET preserve_insertion_order = false");
  await connection.run(`CREATE VIEW ${SILVER} AS FROM read_parquet([${paths.map(quoteText).join(", ")}])`);
  const to = quoteText(join(folder, "bare"));
  const layout = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192, PER_THREAD_OUTPUT true, OVERWRITE true";
  await connection.run(`COPY (SELECT * FROM (${SESSIONS_SQL}) ORDER BY event_date, session_id) TO ${to} (${layout})`);
  connection.closeSync();
  instance.closeSync();
  return Math.round(performance.now() - startedAt);
}
