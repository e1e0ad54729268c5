/** What a build of a large day takes of an isolate, step by step, and how its cost grows with the rows (docs/benchmarks.md). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { formatDate } from "../../schemas/time.ts";
import { type Bundle, buildBundle } from "../build/bundle.ts";
import { compileProject } from "../build/compile.ts";
import { loadParquetWasm } from "../build/parquet-wasm-node.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { type Operations, operationsIn } from "../prices.ts";
import { createProgressBar } from "../progress.ts";
import type { Bench } from "./bench.ts";
import { addBronze } from "./build/bronze.ts";
import { Builder } from "./build/builder.ts";
import { DISTINCT_MODEL, projectWithClickModels } from "./build/click-models.ts";
import { CLICKS, type ClickFlush, type Clicks, clickFile } from "./build/clicks.ts";
import { type HeapUse, heapBytes } from "./memory/isolate-heap.ts";

const ROWS = 12_000_000;
/** A day's, at its full size. */
const SESSIONS = 900_000;
const TOO_MANY_SESSIONS = 3_000_000;
const COPY_EVERY = 20;
/** Flushes of a shard in a day of ROWS, one in ten minutes: of fewer rows there are fewer. */
const FLUSHES = 144;
const WARM_UP_ROWS = 100_000;
const MEMORY_BUDGET_MB = 60;
const STEP_BUDGET_MS = 5_000;
const GROWTH_BUDGET = 10.5;
const DAY_MS = 86_400_000;
const MB = 1_000_000;
/** Between two questions for what is in use. */
const PAUSE_MS = 10;
const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Fills bronze with ${ROWS.toLocaleString("en")} clicks of one date, one in ${COPY_EVERY} a copy, of 1 shard and then of 16, a flush each ten minutes, and lets the real bundle build silver and three models over it, in
workerd with V8's heap limited to an isolate's: one counts ${SESSIONS.toLocaleString("en")} distinct values. Before it a tenth of the rows. Then a date of ${TOO_MANY_SESSIONS.toLocaleString("en")} distinct values, whose model must fail and say what to do.
V8's inspector is asked every ${PAUSE_MS} ms what is in use: JavaScript objects, garbage included, ArrayBuffers and Wasm memory, above the idle isolate; budget ${MEMORY_BUDGET_MB} MB in every step. CPU is workerd's, local D1
included: ${STEP_BUDGET_MS / 1_000} s a step, and ten times the rows may cost ${GROWTH_BUDGET} times as much. --rows N and --shards 1,16 for less; with fewer rows there are fewer distinct values. --steps tells of each step, --profile FILE writes V8's CPU profile of all rows, --allocations FILE what made the objects that outlived the young generation; --checks adds checks of keys and one in SQL. Takes half an hour, and 4 GB of disk. Needs Linux (/proc).`,
  async run(log, args) {
    const { values } = parseCommandLine(args, {
      options: {
        rows: { type: "string", default: String(ROWS) },
        shards: { type: "string", default: "1,16" },
        steps: { type: "boolean", default: false },
        checks: { type: "boolean", default: false },
        profile: { type: "string" },
        allocations: { type: "string" },
      },
    });
    const rows = integerFlag("rows", values.rows, 10_000, 100_000_000);
    const shardCounts = values.shards.split(",").map((text) => integerFlag("shards", text, 1, 64));
    const folder = mkdtempSync(join(tmpdir(), "sluice-build-large-"));
    try {
      const project = join(folder, "project");
      projectWithClickModels(root, project, values.checks);
      await compileProject(project);
      const bundle = await buildBundle({
        root: project,
        outdir: "dist",
        entry: "tools/bench/build/counting-worker.ts",
      });
      let memoryMb = 0;
      let stepMs = 0;
      let growth = 0;
      let remedy = "";
      const figures: Record<string, number> = {};
      for (const [n, shards] of shardCounts.entries()) {
        const run = await runDay(
          project,
          bundle,
          join(folder, `storage-${n}`),
          {
            rows,
            shards,
            withTooMany: n === 0,
            tellsSteps: values.steps,
            profile: values.profile,
            allocations: values.allocations,
          },
          log,
        );
        memoryMb = Math.max(memoryMb, run.memoryMb);
        stepMs = Math.max(stepMs, run.stepMs);
        growth = Math.max(growth, run.growth);
        remedy ||= run.remedy;
        figures[`us_a_row_${shards}`] = run.usARow;
        rmSync(join(folder, `storage-${n}`), { recursive: true, force: true });
      }
      const named = remedy.includes(":");
      const ok = memoryMb <= MEMORY_BUDGET_MB && stepMs <= STEP_BUDGET_MS && growth <= GROWTH_BUDGET && named;
      verdict(
        log,
        "memory of every step",
        `${memoryMb.toFixed(0)} MB`,
        `${MEMORY_BUDGET_MB} MB`,
        memoryMb <= MEMORY_BUDGET_MB,
      );
      verdict(
        log,
        "CPU of every step",
        `${(stepMs / 1_000).toFixed(1)} s`,
        `${STEP_BUDGET_MS / 1_000} s`,
        stepMs <= STEP_BUDGET_MS,
      );
      verdict(
        log,
        "CPU of ten times the rows",
        `${growth.toFixed(2)} times`,
        `${GROWTH_BUDGET}`,
        growth <= GROWTH_BUDGET,
      );
      verdict(log, "too many distinct values", remedy === "" ? "were built" : remedy, "a remedy", named);
      const ratio = Math.max(memoryMb / MEMORY_BUDGET_MB, stepMs / STEP_BUDGET_MS, growth / GROWTH_BUDGET);
      return {
        ratio,
        budget: 1,
        ok,
        rows,
        memory_mb: memoryMb,
        step_ms: stepMs,
        growth,
        remedy_named: named,
        ...figures,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function verdict(log: (line: string) => void, what: string, measured: string, budget: string, ok: boolean): void {
  log(`${ok ? "met   " : "MISSED"}  ${what}: ${measured}; budget ${budget}`);
}

interface DayRun {
  readonly memoryMb: number;
  /** CPU of the longest step. */
  readonly stepMs: number;
  /** CPU of all rows over that of a tenth. */
  readonly growth: number;
  readonly usARow: number;
  /** What the model of too many values said; empty where it was not tried, or was built. */
  readonly remedy: string;
}

interface DayOptions {
  readonly rows: number;
  readonly shards: number;
  readonly withTooMany: boolean;
  readonly tellsSteps: boolean;
  readonly profile: string | undefined;
  readonly allocations: string | undefined;
}

async function runDay(
  project: string,
  bundle: Bundle,
  storage: string,
  { rows, shards, withTooMany, tellsSteps, profile, allocations }: DayOptions,
  log: (line: string) => void,
): Promise<DayRun> {
  const objects = join(storage, "objects");
  mkdirSync(objects, { recursive: true });
  await using builder = await Builder.start(project, bundle, storage, objects);
  const today = Math.floor(Date.now() / DAY_MS);
  const scale = rows / ROWS;
  const measured = new MeasuredBuilds(builder, log, tellsSteps);
  const of = (day: number, count: number, sessions: number): Clicks => {
    return { day: today - day, rows: count, sessions: Math.max(1, Math.round(sessions)), copyEvery: COPY_EVERY };
  };
  const name = `${shards} ${shards === 1 ? "shard" : "shards"}`;
  await measured.build(`${name}, warm-up`, of(4, Math.min(WARM_UP_ROWS, rows), 10_000), shards);
  const tenth = await measured.build(`${name}, a tenth`, of(3, rows / 10, (SESSIONS * scale) / 10), shards);
  let whole = NO_DAY;
  const buildWhole = async () => {
    whole = await measured.build(`${name}, ${rows.toLocaleString("en")} rows`, of(2, rows, SESSIONS * scale), shards);
  };
  const { heap } = builder;
  if (profile !== undefined) writeFileSync(profile, JSON.stringify(await heap.profileDuring(buildWhole)));
  else if (allocations !== undefined)
    writeFileSync(allocations, JSON.stringify(await heap.allocationsDuring(buildWhole)));
  else await buildWhole();
  let remedy = "";
  let memoryMb = Math.max(tenth.memoryMb, whole.memoryMb);
  let stepMs = Math.max(tenth.stepMs, whole.stepMs);
  if (withTooMany) {
    const clicks = {
      day: today - 1,
      rows: Math.round(TOO_MANY_SESSIONS * Math.max(0.4, Math.min(1, scale))),
      sessions: 0xffff_ffff,
    };
    const tooMany = await measured.build("too many distinct values", clicks, shards);
    remedy = tooMany.failures.get(DISTINCT_MODEL) ?? "";
    memoryMb = Math.max(memoryMb, tooMany.memoryMb);
    stepMs = Math.max(stepMs, tooMany.stepMs);
  }
  const growth = whole.cpuMs / tenth.cpuMs;
  return { memoryMb, stepMs, growth, usARow: (whole.cpuMs / rows) * 1_000, remedy };
}

interface BuiltDay {
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly stepMs: number;
  /** What builds that failed said, by their table. */
  readonly failures: ReadonlyMap<string, string>;
}

const NO_DAY: BuiltDay = { cpuMs: 0, memoryMb: 0, stepMs: 0, failures: new Map() };

class MeasuredBuilds {
  readonly #builder: Builder;
  readonly #log: (line: string) => void;
  readonly #tellsSteps: boolean;
  #idle: HeapUse = { objects: Number.POSITIVE_INFINITY, arrays: 0 };

  /** `tellsSteps`: each step is logged as it ends. */
  constructor(builder: Builder, log: (line: string) => void, tellsSteps: boolean) {
    this.#builder = builder;
    this.#log = log;
    this.#tellsSteps = tellsSteps;
  }

  async build(name: string, clicks: Clicks, shards: number): Promise<BuiltDay> {
    const builder = this.#builder;
    await fill(builder, clicks, shards);
    // The least that idle ever took: what a build leaves behind counts against those after it.
    this.#idle = lesser(this.#idle, await builder.heap.idle());
    const peaks = new Map<string, HeapUse>();
    const steps = new Map<string, number>();
    const cpus = new Map<string, number>();
    const longest = new Map<string, number>();
    const failures = new Map<string, string>();
    let peak = NOTHING;
    let lastCpu = builder.cpu().all;
    const bar = createProgressBar(`build ${name}`, clicks.rows);
    const date = formatDate(clicks.day);
    const ended = builder.onBuild(({ domain, outcome, error }) => {
      const cpu = builder.cpu().all;
      // What was sampled since the last one ended was this one's.
      peaks.set(domain, greater(peaks.get(domain) ?? NOTHING, peak));
      if (this.#tellsSteps)
        this.#log(`    ${domain} ${outcome}: ${(cpu - lastCpu).toFixed(0)} ms, ${this.#above(peak)} above idle`);
      peak = NOTHING;
      cpus.set(domain, (cpus.get(domain) ?? 0) + cpu - lastCpu);
      longest.set(domain, Math.max(longest.get(domain) ?? 0, cpu - lastCpu));
      lastCpu = cpu;
      steps.set(domain, (steps.get(domain) ?? 0) + 1);
      if (outcome === "failed" && error !== undefined) failures.set(domain, error);
    });
    let building = true;
    const watching = (async () => {
      while (building) {
        peak = greater(peak, await builder.heap.now());
        await delay(PAUSE_MS);
      }
    })();
    const operations = operationsIn(await builder.asked("/__operations"));
    const before = builder.cpu().all;
    let looks = 0;
    await builder.built(async () => {
      if (looks++ % 5 === 0) bar.update(await builder.count(rowsBuilt(date)));
    });
    const cpuMs = builder.cpu().all - before;
    building = false;
    await watching;
    ended();
    bar.finish();
    const used = operationsIn(await builder.asked("/__operations"));
    const perRow = (ms: number) => ((ms / clicks.rows) * 1_000).toFixed(2);
    this.#log(`${name}: ${perRow(cpuMs)} us of CPU a row; ${operationsText(operations, used)}`);
    for (const [domain, use] of peaks) {
      this.#log(
        `  ${domain}: ${steps.get(domain)} steps of ${((longest.get(domain) ?? 0) / 1_000).toFixed(1)} s at most, ${perRow(cpus.get(domain) ?? 0)} us a row, at most ${this.#above(use)} above idle`,
      );
    }
    for (const [domain, error] of failures) this.#log(`  ${domain} failed: ${error}`);
    const most = Math.max(...[...peaks.values()].map(heapBytes));
    return { cpuMs, stepMs: Math.max(...longest.values()), memoryMb: (most - heapBytes(this.#idle)) / MB, failures };
  }

  #above(use: HeapUse): string {
    if (use === NOTHING) return "nothing";
    const megabytes = (bytes: number) => (bytes / MB).toFixed(0);
    const objects = use.objects - this.#idle.objects;
    const arrays = use.arrays - this.#idle.arrays;
    return `${megabytes(objects + arrays)} MB (objects ${megabytes(objects)}, arrays and Wasm ${megabytes(arrays)})`;
  }
}

const NOTHING: HeapUse = { objects: 0, arrays: 0 };

function greater(a: HeapUse, b: HeapUse): HeapUse {
  return heapBytes(a) >= heapBytes(b) ? a : b;
}

function lesser(a: HeapUse, b: HeapUse): HeapUse {
  return heapBytes(a) <= heapBytes(b) ? a : b;
}

function rowsBuilt(date: string): string {
  return `SELECT coalesce(max(progress ->> 'rowsIn'), 0) AS n FROM silver_progress WHERE topic = '${CLICKS}' AND partition_date = '${date}'`;
}

function operationsText(before: Operations, after: Operations): string {
  const of = (name: keyof Operations) => (after[name] - before[name]).toLocaleString("en");
  return `D1 rows: ${of("databaseRowsRead")} read, ${of("databaseRowsWritten")} written; R2: ${of("bucketClassB")} reads, ${of("bucketClassA")} writes`;
}

async function fill(builder: Builder, clicks: Clicks, shards: number): Promise<void> {
  const permit = loadParquetWasm();
  const bar = createProgressBar(`fill ${formatDate(clicks.day)}`, clicks.rows);
  for (const group of Map.groupBy(flushesOf(clicks, shards), (_, n) => Math.floor(n / 32)).values()) {
    const files = [];
    for (const flush of group) files.push(await clickFile(permit, clicks, flush));
    await addBronze(builder, files);
    bar.update(group.at(-1)?.first ?? 0);
  }
  bar.finish();
}

/** By time, shard by shard. */
function flushesOf({ rows }: Clicks, shards: number): ClickFlush[] {
  const flushRows = Math.ceil(ROWS / FLUSHES / shards);
  return Array.from({ length: Math.ceil(rows / flushRows) }, (_, n) => ({
    first: n * flushRows,
    rows: Math.min(flushRows, rows - n * flushRows),
    shard: n % shards,
    shardOf: shards,
    seq: Math.floor(n / shards) + 1,
  }));
}
