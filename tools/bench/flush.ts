/** CPU of a bronze flush against DuckDB's COPY of the same rows, and its peak memory (docs/benchmarks.md). */
import { contractOf } from "../../contracts/registry.ts";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { loadParquetWasm } from "../build/parquet-wasm-node.ts";
import { type Bench, median } from "./bench.ts";
import { openCopy } from "./flush/duckdb-copy.ts";
import { forgetfulBucket } from "./flush/forgetful-bucket.ts";
import { type FrozenBlocks, frozenBlocks } from "./flush/frozen-blocks.ts";
import { flushMemory } from "./flush/memory.ts";

const TOPICS = ["orders", "clickstream", "weather"] as const;
/** A contract's flush by default. */
const FLUSH = { bytes: 16_000_000, rows: 100_000 };
const STORM_DATES = 400;
const ROUNDS = 11;
const BUDGET = 2.5;
const MEMORY_BUDGET_MB = 60;
const DAY = Date.UTC(2026, 9, 1);

export const bench: Bench = {
  explanation: `Writes the frozen blocks of a flush (simulated events, ${FLUSH.bytes / 1e6} MB of Avro or ${FLUSH.rows} rows) as bronze Parquet, and lets DuckDB with one
thread COPY the same rows from its own table to a ZSTD Parquet file, in turns: CPU time, ${ROUNDS} rounds, medians. The ratio is the worst topic's; budget ${BUDGET}.
Then, in fresh processes with an isolate's heap, of five flushes the one that takes least: the peak of JS heap, ArrayBuffers and Wasm memory during a flush of ${FLUSH.bytes / 1e6} MB, above the idle
process: of one date, and of ${STORM_DATES} dates at once; budget ${MEMORY_BUDGET_MB} MB. Needs Linux (/proc).`,
  async run(log) {
    const figures: Record<string, number> = {};
    for (const topic of TOPICS) {
      const { ours, theirs, rows, ratio } = await compare(topic, frozenBlocks(topic, { ...FLUSH, dates: 1 }, DAY));
      figures[topic] = ratio;
      log(
        `${topic}: ${rows} rows; flush ${ours.toFixed(2)} us of CPU a row, DuckDB ${theirs.toFixed(2)}: ratio ${ratio.toFixed(2)}`,
      );
    }
    const ratio = Math.max(...Object.values(figures));
    let memory = 0;
    let highest = 0;
    let files = 0;
    for (const dates of [1, STORM_DATES]) {
      for (const topic of ["orders", "clickstream"] as const) {
        const { blocks, bytes, rows } = frozenBlocks(topic, { bytes: FLUSH.bytes, rows: 200_000, dates }, DAY);
        const peak = await flushMemory(topic, blocks);
        memory = Math.max(memory, peak.memory);
        highest = Math.max(highest, peak.highest);
        files = Math.max(files, peak.files);
        const what = dates === 1 ? "one date" : `${dates} dates`;
        log(
          `${topic}, ${what}: ${rows} rows, ${megabytes(bytes)} MB of Avro, ${peak.files} files; ${megabytes(peak.memory)} MB at the peak (${megabytes(peak.highest)} in the run that took most), ${megabytes(peak.resident)} MB resident`,
        );
      }
    }
    const memoryMb = Number(megabytes(memory));
    const ok = ratio <= BUDGET && memoryMb <= MEMORY_BUDGET_MB;
    const bounds = {
      memory_mb: memoryMb,
      memory_highest_mb: Number(megabytes(highest)),
      memory_budget_mb: MEMORY_BUDGET_MB,
      storm_dates: STORM_DATES,
      storm_files: files,
    };
    return { ratio, budget: BUDGET, ok, ...bounds, ...figures };
  },
};

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

interface Compared {
  readonly rows: number;
  /** Microseconds of CPU a row, medians. */
  readonly ours: number;
  readonly theirs: number;
  /** The middle of the rounds' ratios: what disturbs a round disturbs both. */
  readonly ratio: number;
}

async function compare(topic: string, { blocks, rows }: FrozenBlocks): Promise<Compared> {
  const permit = loadParquetWasm();
  const contract = contractOf(topic);
  if (contract === undefined) throw new Error(`topic ${topic} is not compiled`);
  const name = { topic, shard: 0, shardOf: 1, incarnation: "bench", seq: 1 };
  const source = { count: blocks.length, read: (block: number) => blocks[block] ?? new Uint8Array(0) };
  const files: Uint8Array[] = [];
  await writeBronze({ bucket: forgetfulBucket((bytes) => files.push(bytes)), permit }, contract, name, source);
  await using duckdb = await openCopy(files);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await cpuOf(() => writeBronze({ bucket: forgetfulBucket(), permit }, contract, name, source)));
    theirs.push(await cpuOf(() => duckdb.copy()));
  }
  const ratios = ours.map((own, round) => own / (theirs[round] ?? Number.NaN));
  return { rows, ours: median(ours) / rows, theirs: median(theirs) / rows, ratio: median(ratios) };
}

/** Microseconds of CPU of the whole process, its collector's and DuckDB's threads included. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
