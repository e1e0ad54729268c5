/**
 * A catalog with retention, its planner and builders: a topic `src` and a table `agg` that reads it, D1 on SQLite with a clock, R2
 * as a set of names. Builders list what they read as `lakehouse/builds` does, and end when the schedule wants.
 */
import { randomUUID } from "node:crypto";
import { type BuildRequest, plan } from "../../../lakehouse/builds/planning/planner.ts";
import { bronzeInputs } from "../../../lakehouse/tables/bronze/inputs.ts";
import type { StagedPrefixes } from "../../../lakehouse/tables/staged-places.ts";
import { buryAbandoned } from "../../../lakehouse/upkeep/retention/bury-abandoned.ts";
import { deleteTombstones } from "../../../lakehouse/upkeep/retention/delete-due.ts";
import { retire } from "../../../lakehouse/upkeep/retention/retire.ts";
import { type Commit, commitVersion } from "../../../sql/statements/commits.ts";
import { acquireLease, failRun, type Lease } from "../../../sql/statements/leases.ts";
import { publishedPartition } from "../../../sql/statements/published.ts";
import { sealedPartition } from "../../../sql/statements/sealed-partitions.ts";
import { type D1Fault, FaultyD1 } from "../../oracle/faulty-d1.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { registerFiles } from "../../oracle/register.ts";
import { requireContract } from "../../oracle/weather.ts";
import { POLICY } from "../planner/catalog.ts";

const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;
const LEASE_MS = 16 * 60_000;
const START = Date.UTC(2026, 10, 21, 12);
const CONTRACT = { ...requireContract("weather"), topic: "src", sla: { retentionMs: 3 * DAY_MS } };
const ROWS = 5;
const PLACES = new Map<string, StagedPrefixes>([
  ["src", (_date, runId) => [`silver/${runId}-`, `quarantine/${runId}-`]],
  ["agg", (_date, runId) => [`agg/${runId}-`]],
  // Files make it stale as in every lake; here it is built as `agg` is.
  ["silver_ledger", (_date, runId) => [`agg/${runId}-`]],
]);

type Ending = Pick<Commit, "added" | "removed" | "rows" | "seen" | "dependents" | "terms"> | "BRONZE_RETIRED";

interface Builder {
  readonly lease: Lease;
  /** What it may read until its lease ends, and what it has staged. */
  readonly reads: readonly string[];
  readonly staged: readonly string[];
  readonly until: number;
  readonly ending: Ending;
}

export class RetentionLake {
  now = START;
  readonly d1 = new FaultyD1(() => this.now);
  readonly objects = new Set<string>();
  readonly builders: Builder[] = [];
  /** What each run staged. */
  readonly #staged = new Map<string, readonly string[]>();
  #queue: BuildRequest[] = [];
  #names = 0;

  #date(daysAgo: number): string {
    return new Date(this.now - daysAgo * DAY_MS).toISOString().slice(0, 10);
  }

  async file(daysAgo: readonly number[]): Promise<void> {
    const file = `bronze/${this.#names++}`;
    this.objects.add(file);
    const now = new Date(this.now).toISOString();
    const dates = daysAgo.map((days, i) => ({ date: this.#date(days), firstRow: i * ROWS, rows: ROWS }));
    const shard = { topic: "src", shard: 0, shardOf: 1, incarnation: "i", seq: this.#names };
    const row = { ...shard, file, rows: dates.length * ROWS, bytes: 1, minReceived: now, maxReceived: now, dates };
    await this.d1.binding.batch(registerFiles(this.d1.binding, [row], now));
  }

  async plan(): Promise<void> {
    const builds = {
      sendBatch: async (sent: { body: BuildRequest }[]) => void this.#queue.push(...sent.map(({ body }) => body)),
    };
    await plan({ db: this.d1.binding, builds, policy: POLICY, newNonce: randomUUID, log: () => {} });
  }

  async tick(): Promise<void> {
    await retire({ db: this.d1.binding, bucket: new MemoryBucket(), contracts: [CONTRACT] }, this.now);
  }

  /** `faults`: of its calls to D1, by their order; it may end at any. */
  async bury(faults: readonly (D1Fault | undefined)[] = []): Promise<void> {
    const bucket = {
      list: async (options?: R2ListOptions) => {
        const names = new MemoryBucket();
        for (const key of this.objects) await names.put(key, "");
        return await names.list(options);
      },
    };
    this.d1.faults.push(...faults);
    await buryAbandoned({ db: this.d1.binding, bucket, places: PLACES }, this.now).catch(() => {});
    this.d1.faults.splice(0);
  }

  async sweep(): Promise<void> {
    const bucket = {
      delete: async (keys: string | string[]) => {
        for (const key of typeof keys === "string" ? [keys] : keys) this.objects.delete(key);
      },
    };
    await deleteTombstones({ db: this.d1.binding, bucket, log: () => {} });
  }

  /** A consumer takes a message and its builder lists what it reads. */
  async begin(n: number): Promise<void> {
    const [message] = this.#queue.splice(n % Math.max(1, this.#queue.length), 1);
    if (message === undefined) return;
    const lease = await acquireLease(this.d1.binding, {
      ...{ domain: message.domain, date: message.date, runId: `run-${this.#names++}` },
      ...{ nonce: null, leaseMs: LEASE_MS },
    });
    if (lease === undefined) return;
    const build = lease.domain === "src" ? await this.#silver(lease) : await this.#derived(lease);
    // Staged at once: a builder that stalls or fails leaves its files, and one that commits has them since it began.
    for (const file of build.staged) this.objects.add(file);
    this.#staged.set(lease.runId, build.staged);
    this.builders.push({ lease, until: this.now + LEASE_MS, ...build });
  }

  async #silver(lease: Lease): Promise<Pick<Builder, "reads" | "staged" | "ending">> {
    const db = this.d1.binding;
    const inputs = await bronzeInputs(db, new MemoryBucket(), "src", lease.date);
    const seen = Math.max(0, ...inputs.map(({ registration }) => registration));
    const rowsOf = (some: readonly unknown[]): number => some.length * ROWS;
    const file = { file: `silver/${lease.runId}-0`, kind: "data", rows: rowsOf(inputs), bytes: 1 } as const;
    if (!lease.sealed) {
      const terms = { topic: "src", duplicates: [], outcomes: [] };
      const ending = {
        added: [file],
        removed: "all",
        rows: file.rows,
        seen,
        dependents: [{ domain: "agg", date: lease.date, ifKnown: false }],
        terms,
      } as const;
      return { reads: inputs.map((input) => input.file), staged: [file.file], ending };
    }
    const sealed = await sealedPartition(db, "silver_src", "src", lease.date);
    const late = inputs.filter(({ registration }) => sealed !== undefined && registration > sealed.seen);
    if (sealed === undefined || late.length === 0) return { reads: [], staged: [], ending: "BRONZE_RETIRED" };
    const aside = { file: `quarantine/${lease.runId}-0`, kind: "quarantine", rows: rowsOf(late), bytes: 1 } as const;
    const before = sealed.outcomes.reduce((sum, { events }) => sum + events, 0);
    const line = {
      hour: `${lease.date}T00:00:00Z`,
      term: "quarantined",
      events: before + aside.rows,
      replayed: 0,
    } as const;
    const terms = { topic: "src", duplicates: [], outcomes: [line] };
    const ending = { added: [aside], removed: [], rows: sealed.rows, seen, dependents: [], terms };
    return { reads: late.map((input) => input.file), staged: [aside.file], ending };
  }

  async #derived(lease: Lease): Promise<Pick<Builder, "reads" | "staged" | "ending">> {
    const read = await publishedPartition(this.d1.binding, "silver_src", lease.date);
    const added = [{ file: `agg/${lease.runId}-0`, kind: "data", rows: 1, bytes: 1 }] as const;
    return {
      reads: (read?.files ?? []).map(({ file }) => file),
      staged: added.map(({ file }) => file),
      ending: { added, removed: "all", rows: 1, seen: null, dependents: [] },
    };
  }

  async end(n: number): Promise<void> {
    const [builder] = this.builders.splice(n % Math.max(1, this.builders.length), 1);
    if (builder === undefined) return;
    const { lease, ending } = builder;
    const db = this.d1.binding;
    if (ending === "BRONZE_RETIRED") {
      await db.batch(failRun(db, lease, { failureClass: "data", message: ending, backoffMs: 0 }));
      return;
    }
    const table = `silver_${lease.domain}`;
    const place = {
      lease,
      table,
      digest: "",
      completeThrough: null,
      generation: { content: null },
      awaitsClosing: false,
      rowsAdded: 0,
      rowsIn: 0,
      inputs: 0,
      layer: "silver",
      path: "",
    } as const;
    await commitVersion(db, { ...place, ...ending });
  }

  /** A check holds the candidate back, or something fails. */
  async fail(n: number): Promise<void> {
    const [builder] = this.builders.splice(n % Math.max(1, this.builders.length), 1);
    if (builder === undefined) return;
    const failure = { failureClass: "system", message: "x", backoffMs: 0 } as const;
    await this.d1.binding.batch(failRun(this.d1.binding, builder.lease, failure));
  }

  /** A builder dies. */
  stall(n: number): void {
    this.builders.splice(n % Math.max(1, this.builders.length), 1);
  }

  replay(daysAgo: number): void {
    this.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE partition_date = ?", this.#date(daysAgo));
  }

  /** What the alert of a dead partition asks an operator for: bronze that is not built is kept. */
  revive(): void {
    this.d1.rows("UPDATE partition_meta SET status = 'PENDING', retry_count = 0 WHERE status = 'DEAD'");
  }

  /** Ticks of the planner, and every build to its end, until there is nothing to do. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await this.plan();
      quiet = this.#queue.length === 0 ? quiet + 1 : 0;
      while (this.#queue.length > 0) {
        const running = this.builders.length;
        await this.begin(0);
        if (this.builders.length > running) await this.end(this.builders.length - 1);
      }
      this.now += 61_000;
    }
  }

  /** Every object that a build under a lease reads or staged, that a kept version has, that is live bronze, or an operator's to look at, is there. */
  judge(): void {
    const under = this.builders.filter(({ until }) => until > this.now);
    const running = under.flatMap(({ reads, staged }) => [...reads, ...staged]);
    const live = this.d1.rows<{ file: string }>("SELECT file FROM bronze_files WHERE retired_by IS NULL");
    for (const file of [...running, ...this.kept(), ...live.map((row) => row.file), ...this.#candidates()]) {
      if (!this.objects.has(file)) throw new Error(`${file} is read, and was deleted`);
    }
  }

  /** Of the last failed run of each partition that was not built since. */
  #candidates(): string[] {
    const runs = this.d1.rows<{ run_id: string }>(
      `SELECT r.run_id, max(r.started_at || r.run_id) FROM run_history r JOIN partition_meta m USING (domain, partition_date)
       WHERE r.status = 'FAILED' AND m.status <> 'DONE' GROUP BY r.domain, r.partition_date`,
    );
    return runs.flatMap(({ run_id }) => this.#staged.get(run_id) ?? []);
  }

  /** The files of published versions, their quarantine included, by name. */
  published(): string[] {
    return this.d1
      .rows<{ file: string }>("SELECT DISTINCT file FROM data_files WHERE removed IS NULL ORDER BY file")
      .map(({ file }) => file);
  }

  /** The files of every version that is kept. */
  kept(): string[] {
    return this.d1
      .rows<{ file: string }>(
        `SELECT DISTINCT f.file FROM versions v JOIN data_files f USING (table_name, partition_date)
         WHERE f.added <= v.version AND (f.removed IS NULL OR f.removed > v.version) ORDER BY f.file`,
      )
      .map(({ file }) => file);
  }

  /** Dates whose bronze rows are not all in silver or quarantine. */
  ledger(): unknown[] {
    return this.d1.rows(
      `SELECT d.partition_date, sum(d.rows) AS bronze, p.rows AS silver,
              (SELECT coalesce(sum(events), 0) FROM ledger_outcomes q WHERE q.term = 'quarantined' AND q.partition_date = d.partition_date) AS quarantined
       FROM bronze_file_dates d LEFT JOIN published p ON p.table_name = 'silver_src' AND p.partition_date = d.partition_date
       GROUP BY d.partition_date HAVING bronze IS NOT silver + quarantined`,
    );
  }

  sealed(): number {
    return this.d1.rows("SELECT 1 FROM sealed_partitions").length;
  }

  quarantined(): number {
    return this.d1.rows("SELECT 1 FROM ledger_outcomes WHERE term = 'quarantined' AND events > 0").length;
  }

  /** Runs that ended without a commit and had staged files. */
  abandoned(): number {
    const runs = this.d1.rows<{ run_id: string }>("SELECT run_id FROM ended_runs WHERE status IN ('FAILED', 'LOST')");
    return runs.filter(({ run_id }) => (this.#staged.get(run_id) ?? []).length > 0).length;
  }
}
