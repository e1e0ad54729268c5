/** CPU of a build of silver and gold, in workerd, against DuckDB doing the same with one thread (docs/benchmarks.md). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { contractOf } from "../../contracts/registry.ts";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { type TopicTable, tableOfDomain } from "../../lakehouse/tables/catalog.ts";
import { buildBundle } from "../build/bundle.ts";
import { loadParquetWasm } from "../build/parquet-wasm-node.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { type Bench, median } from "./bench.ts";
import { addBronze, type FlushedFile } from "./build/bronze.ts";
import { Builder } from "./build/builder.ts";
import { openDuckDbBuild } from "./build/duckdb-build.ts";
import { forgetfulBucket } from "./flush/forgetful-bucket.ts";
import { frozenBlocks } from "./flush/frozen-blocks.ts";

const TOPIC = "orders";
const ROWS = 1_000_000;
const COPIES = 0.05;
/** A contract's flush by default. */
const FLUSH_BYTES = 16_000_000;
const DUCKDB_ROUNDS = 3;
const BUDGET = 2;
const DAY_MS = 86_400_000;
const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Puts ${ROWS.toLocaleString("en")} simulated orders of one date, ${COPIES * 100} % of them copies, as bronze files of ${FLUSH_BYTES / 1e6} MB of Avro into the lake of the real bundle, in workerd with V8's heap
limited to an isolate's, and lets its planner and queue build silver (record_hash included), the models over it and the ledger. The figure is workerd's CPU, all of its threads, the local D1, R2
and queues included. Against it DuckDB with one thread over the same files: dedupe by position, record_hash by its text, all models over ${TOPIC}, their checks, Parquet out; ${DUCKDB_ROUNDS} rounds, the median.
Both must give the same rows. Budget ${BUDGET}. --rows N builds another number, --profile FILE
writes V8's CPU profile of the isolate, which takes some CPU itself. Needs Linux (/proc).`,
  async run(log, args) {
    const { values } = parseCommandLine(args, {
      options: { rows: { type: "string", default: String(ROWS) }, profile: { type: "string" } },
    });
    const count = integerFlag("rows", values.rows, 1_000, 10_000_000);
    const folder = mkdtempSync(join(tmpdir(), "sluice-build-"));
    try {
      const table = tableOfDomain(TOPIC);
      if (table?.kind !== "topic") throw new Error(`topic ${TOPIC} is not compiled`);
      const bundle = await buildBundle({ root, outdir: "dist" });
      const flushes = await ordersFlushed(count);
      const rows = flushes.reduce((sum, { file }) => sum + file.rows, 0);
      log(`${rows} rows in ${flushes.length} files of bronze`);
      const files = flushes.map(({ bytes }, n) => {
        const path = join(folder, `bronze-${String(n).padStart(4, "0")}.parquet`);
        writeFileSync(path, bytes);
        return path;
      });
      mkdirSync(join(folder, "duckdb"));
      await using duckdb = await openDuckDbBuild(table, files, join(folder, "duckdb"));
      const theirs: number[] = [];
      for (let round = 0; round < DUCKDB_ROUNDS; round++) theirs.push((await cpuOf(() => duckdb.build())) / rows);
      log(`DuckDB: ${median(theirs).toFixed(2)} us of CPU a row`);

      await using builder = await Builder.start(root, bundle, join(folder, "storage"));
      await addBronze(builder, flushes);
      const before = builder.cpu();
      const parts: string[] = [];
      let last = before.all;
      builder.onBuild(({ domain, outcome, error }) => {
        const now = builder.cpu().all;
        parts.push(
          `${domain} ${outcome} ${(((now - last) / rows) * 1_000).toFixed(2)}${error === undefined ? "" : ` (${error})`}`,
        );
        last = now;
      });
      const build = () => builder.built(() => {});
      if (values.profile === undefined) await build();
      else writeFileSync(values.profile, JSON.stringify(await builder.heap.profileDuring(build)));
      const after = builder.cpu();
      const ours = ((after.all - before.all) / rows) * 1_000;
      const main = ((after.main - before.main) / rows) * 1_000;
      log(`in turn, us of CPU a row: ${parts.join(", ")}`);
      log(`workerd: ${ours.toFixed(2)} us of CPU a row, ${main.toFixed(2)} of it on the thread that runs JavaScript`);
      const differing = await differences(builder, table, duckdb, join(folder, "built"));
      for (const line of differing) log(line);
      const ratio = ours / median(theirs);
      const ok = ratio <= BUDGET && differing.length === 0;
      return {
        ratio,
        budget: BUDGET,
        ok,
        rows,
        us_a_row: ours,
        duckdb_us_a_row: median(theirs),
        same_rows: differing.length === 0,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Simulated orders as flushes of one shard wrote them. */
async function ordersFlushed(rows: number): Promise<FlushedFile[]> {
  const contract = contractOf(TOPIC);
  if (contract === undefined) throw new Error(`topic ${TOPIC} is not compiled`);
  const permit = loadParquetWasm();
  const day = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
  const { blocks } = frozenBlocks(TOPIC, { bytes: Number.POSITIVE_INFINITY, rows, dates: 1, copies: COPIES }, day);
  const flushed: FlushedFile[] = [];
  for (let first = 0; first < blocks.length; ) {
    let end = first;
    for (let bytes = 0; end < blocks.length && bytes < FLUSH_BYTES; end++) bytes += blocks[end]?.length ?? 0;
    const own = blocks.slice(first, end);
    first = end;
    const source = { count: own.length, read: (block: number) => own[block] ?? new Uint8Array(0) };
    const name = { topic: TOPIC, shard: 0, shardOf: 1, incarnation: "bench", seq: flushed.length + 1 };
    const files: Uint8Array[] = [];
    const bucket = forgetfulBucket((bytes) => files.push(bytes));
    const [file, ...more] = await writeBronze({ bucket, permit }, contract, name, source);
    const [bytes] = files;
    if (file === undefined || bytes === undefined || more.length > 0) throw new Error("a flush of one date is no file");
    flushed.push({ file, bytes });
  }
  return flushed;
}

/** What the tables of both do not have alike. */
async function differences(
  { db, lake }: Builder,
  { domain }: TopicTable,
  duckdb: Awaited<ReturnType<typeof openDuckDbBuild>>,
  folder: string,
): Promise<string[]> {
  mkdirSync(folder);
  const theirs = await duckdb.summary();
  const lines: string[] = [];
  for (const [name, wanted] of Object.entries(theirs)) {
    const { results } = await db
      .prepare(
        "SELECT file FROM data_files WHERE table_name = ? AND kind = 'data' AND added IS NOT NULL AND removed IS NULL",
      )
      .bind(name)
      .all<{ file: string }>();
    const paths: string[] = [];
    for (const { file } of results) {
      const object = await lake.get(file);
      if (object === null) throw new Error(`${file} of ${domain} is not there`);
      const path = join(folder, file.replaceAll("/", "_"));
      writeFileSync(path, new Uint8Array(await object.arrayBuffer()));
      paths.push(path);
    }
    const own = paths.length === 0 ? "nothing" : await duckdb.summaryOf(paths);
    if (own !== wanted) lines.push(`${name} differs: ${own}; DuckDB's has ${wanted}`);
  }
  return lines;
}

/** Microseconds of CPU of this process. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
