/** A whole lake in memory: bronze that lands as a TopicBuffer writes it, the planner, and the real builds, with a clock and faults. */

import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { writeBronze } from "../../lakehouse/bronze/write.ts";
import { buildPartition } from "../../lakehouse/builds/build.ts";
import { thisDeploy } from "../../lakehouse/builds/generations/record.ts";
import { walkGenerations } from "../../lakehouse/builds/generations/walk.ts";
import type { BuildOutcome } from "../../lakehouse/builds/outcome.ts";
import { planWithBackfills } from "../../lakehouse/builds/planning/backfills.ts";
import { type BuildRequest, plan } from "../../lakehouse/builds/planning/planner.ts";
import { planPolicy } from "../../lakehouse/builds/planning/policy.ts";
import { type Table, tableOfDomain } from "../../lakehouse/tables/catalog.ts";
import { compactTable, type TableCompactionOutcome } from "../../lakehouse/upkeep/table-compaction/compact.ts";
import type { CompactionRule } from "../../lakehouse/upkeep/table-compaction/plan.ts";
import { publishLedger } from "../../sql/statements/bronze.ts";
import { faultyDatabase } from "../../tools/chaos/faults/database.ts";
import { askDuckDb } from "./duckdb.ts";
import { FaultyD1 } from "./faulty-d1.ts";
import { blocksOf, framesOf } from "./frames.ts";
import { MemoryBucket } from "./memory-bucket.ts";
import { permit } from "./permit.ts";
import { registerFiles } from "./register.ts";
import { requireContract } from "./weather.ts";

/** What outlasts a deploy. */
export interface LakeState {
  readonly clock: { now: number; seq: number; runs: number };
  readonly bucket: MemoryBucket;
  readonly d1: FaultyD1;
}

export class Lake {
  readonly state: LakeState;
  readonly bucket: MemoryBucket;
  readonly d1: FaultyD1;
  /** Bytes that a progress holds itself: none, so that a test sees them as objects. */
  inlineBytes = 0;
  /** As of `BuildDeps`. */
  nativeRows = 0;
  /** When the code was released that builds and plans here; undefined: nobody asks. */
  readonly releasedAt: string | undefined;

  /** `sqlite`: a database that does not begin empty. `before`: the lake goes on from there, by the code of this module. */
  constructor(now: number, sqlite?: DatabaseSync, before?: LakeState, releasedAt?: string) {
    const clock = before?.clock ?? { now, seq: 0, runs: 0 };
    const bucket = before?.bucket ?? new MemoryBucket(() => clock.now);
    const d1 = before?.d1 ?? new FaultyD1(() => clock.now, sqlite);
    this.state = { clock, bucket, d1 };
    this.bucket = bucket;
    this.d1 = d1;
    this.releasedAt = releasedAt;
  }

  get now(): number {
    return this.state.clock.now;
  }

  set now(now: number) {
    this.state.clock.now = now;
  }

  /** The number of the last flush. */
  get seq(): number {
    return this.state.clock.seq;
  }

  set seq(seq: number) {
    this.state.clock.seq = seq;
  }

  /** The number of the last run. */
  get runs(): number {
    return this.state.clock.runs;
  }

  set runs(runs: number) {
    this.state.clock.runs = runs;
  }

  /** A flush of one shard, by today's contract or the given one; the ledger counts `events` of the hour of now. */
  async land(topic: string, messages: readonly Uint8Array[], contract = requireContract(topic)): Promise<void> {
    const frames = messages.flatMap(framesOf);
    const shard = { topic, shard: 0, shardOf: 1, incarnation: "11aa22bb" };
    const files = await writeBronze(
      { bucket: this.bucket, permit },
      contract,
      { ...shard, seq: ++this.seq },
      blocksOf(frames),
    );
    const hour = `${new Date(this.now).toISOString().slice(0, 13)}:00:00Z`;
    const events = frames.reduce((sum, frame) => sum + frame.slice.count, 0);
    const before = this.d1.rows<{ events: number }>(
      "SELECT events FROM ledger WHERE topic = ? AND hour = ?",
      topic,
      hour,
    );
    await this.d1.binding.batch([
      ...registerFiles(this.d1.binding, files, new Date(this.now).toISOString()),
      publishLedger(this.d1.binding, shard, [{ hour, detail: "", events: (before[0]?.events ?? 0) + events }]),
    ]);
  }

  /** By domain. */
  table(domain: string): Table {
    return tableOf(domain);
  }

  /**
   * `stepRows`: as of `BuildDeps`. `nonce`: of the message that asks for it; without one the lease is nobody's to take over. `around`
   * stands around each call of this builder to D1 and R2.
   */
  build(table: Table, date: string, stepRows?: number, nonce?: string, around?: Around): Promise<BuildOutcome> {
    const deps = {
      ...this.#work(around),
      ...(this.releasedAt === undefined ? {} : { deploy: thisDeploy(this.releasedAt) }),
    };
    const bounds = {
      inlineBytes: this.inlineBytes,
      nativeRows: this.nativeRows,
      ...(stepRows === undefined ? {} : { stepRows }),
    };
    return buildPartition({ ...deps, ...bounds }, table, { date, nonce });
  }

  #work(around?: Around) {
    return {
      db: around === undefined ? this.d1.binding : faultyDatabase(this.d1.binding, (call, work) => around(work, call)),
      bucket: around === undefined ? this.bucket : bucketAround(this.bucket, around),
      permit,
      newRunId: () => `run-${String(++this.runs).padStart(4, "0")}`,
    };
  }

  /** Compacts a partition. `around` as of `build`. */
  compact(table: Table, date: string, rule: CompactionRule, around?: Around): Promise<TableCompactionOutcome> {
    return compactTable({ ...this.#work(around), now: () => this.now, rule }, table, date);
  }

  /** A tick of the duty that walks generations; gives what it logged. */
  async walk(): Promise<Record<string, unknown>[]> {
    const logged: Record<string, unknown>[] = [];
    await walkGenerations({
      db: this.d1.binding,
      bucket: this.bucket,
      deploy: thisDeploy(this.releasedAt ?? ""),
      newBackfillId: () => `b${String(++this.runs).padStart(6, "0")}`,
      log: (event) => void logged.push(event),
    });
    return logged;
  }

  async plan(): Promise<BuildRequest[]> {
    const queued: BuildRequest[] = [];
    const builds = {
      sendBatch: async (sent: { body: BuildRequest }[]) => void queued.push(...sent.map(({ body }) => body)),
    };
    const db = this.d1.binding;
    await planWithBackfills({
      db,
      plan: () => plan({ db, builds, policy: { ...planPolicy, waitMs: () => 0 }, newNonce: randomUUID, log: () => {} }),
    });
    return queued;
  }

  /** Ticks and builds until nothing is left to do; gives what was built, in order. */
  async settle(): Promise<string[]> {
    const built: string[] = [];
    for (let idle = 0; idle < 3; ) {
      if (built.length > 200) throw new Error(`builds never end: ${built.slice(-10).join(", ")}`);
      const queued = await this.plan();
      idle = queued.length === 0 ? idle + 1 : 0;
      for (const { domain, date, nonce } of queued) {
        const outcome = await this.build(tableOf(domain), date, undefined, nonce);
        built.push(`${domain} ${date} ${outcome.kind}`);
      }
      this.now += 1_000;
    }
    return built;
  }

  /** Rows of a query in DuckDB, in which each table that it names is a view of the macro that its `views.sql` makes. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-lake-"));
    try {
      return await askDuckDb(async (connection) => {
        for (const [key, { bytes }] of this.bucket.objects) {
          if (!key.endsWith("/views.sql")) continue;
          const views = new TextDecoder().decode(bytes);
          const name = /MACRO (\w+)\(/.exec(views)?.[1] ?? "";
          if (!sql.includes(name)) continue;
          this.#copyFiles(key.slice(0, -"views.sql".length), folder);
          await connection.run(views);
          await connection.run(`CREATE VIEW ${name} AS FROM ${name}('${folder}')`);
        }
        return (await connection.runAndReadAll(sql)).getRowObjectsJson();
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** A table's files, those that its `views.sql` does not name too. */
  #copyFiles(directory: string, folder: string): void {
    for (const [key, { bytes }] of this.bucket.objects) {
      if (!key.startsWith(directory) || !key.endsWith(".parquet")) continue;
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), bytes);
    }
  }

  /** An object of the lake as JSON. */
  json(key: string): unknown {
    return JSON.parse(new TextDecoder().decode(this.bucket.bytesOf(key)));
  }
}

/** `call`: the method, and of R2 the key: `batch`, `get bronze/...`. */
export type Around = <R>(work: () => Promise<R>, call: string) => Promise<R>;

function bucketAround(bucket: MemoryBucket, around: Around): MemoryBucket {
  return new Proxy(bucket, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) =>
        around(async () => Reflect.apply(value, target, values), `${String(property)} ${String(values[0])}`);
    },
  });
}

export function tableOf(domain: string): Table {
  const table = tableOfDomain(domain);
  if (table === undefined) throw new Error(`no table for ${domain}`);
  return table;
}
