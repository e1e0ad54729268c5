/**
 * The catalog with its planner and builders: a topic `src` and a table `agg` that reads it, two dates, D1 on SQLite with a
 * clock and faults. Builders do what `lakehouse/builds/build.ts` does, but each stops wherever the schedule wants.
 */
import { randomUUID } from "node:crypto";
import { digestOf, inputName } from "../../../lakehouse/builds/digest.ts";
import { planWithBackfills } from "../../../lakehouse/builds/planning/backfills.ts";
import { backoffMs, type PlanPolicy } from "../../../lakehouse/builds/planning/machine.ts";
import { type BuildRequest, plan, planTransitions } from "../../../lakehouse/builds/planning/planner.ts";
import { bronzeInputs } from "../../../lakehouse/tables/bronze/inputs.ts";
import { backfillCandidates, createBackfill } from "../../../sql/statements/backfills.ts";
import { commitVersion, isPublishedBy } from "../../../sql/statements/commits.ts";
import { acquireLease, failRun, type Lease } from "../../../sql/statements/leases.ts";
import { activePartitions, applyTransition, type PartitionRow } from "../../../sql/statements/partitions.ts";
import { publishedPartition } from "../../../sql/statements/published.ts";
import { type D1Fault, FaultyD1 } from "../../oracle/faulty-d1.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";
import { registerFiles } from "../../oracle/register.ts";

export const DATES = ["2026-11-01", "2026-11-02"] as const;
export const START = Date.UTC(2026, 10, 1, 12);
const HOUR = 3_600_000;
export const LEASE_MS = 16 * 60_000;

export const POLICY: PlanPolicy = {
  knows: (domain) => domain !== "unknown",
  closesAt: (_domain, date) => Date.parse(`${date}T00:00:00Z`) + 25 * HOUR,
  judgedAt: (domain, date) => POLICY.closesAt(domain, date) + 2 * 60_000,
  partitionsRead: (domain, date) => (domain === "agg" ? [{ domain: "src", from: date, to: date }] : []),
  isNative: () => false,
  waitMs: () => 0,
  maxRetries: 2,
  requeueAfterMs: 60_000,
};

/** What a build reads; a row of each table is a bronze file that it knows of. */
interface Inputs {
  readonly rows: number;
  readonly seen: number | null;
  readonly digest: string;
}

/** News waits, not as long as the schedules rest at their end. */
export const WAITING: PlanPolicy = { ...POLICY, waitMs: (_domain, closed) => (closed ? HOUR / 2 : HOUR / 6) };

interface Builder {
  readonly lease: Lease;
  inputs: Inputs | undefined;
}

export type Ending = "commit" | "commitAnswerLost" | "commitRefused" | "data" | "system" | "crash";

const ROWS = (table: string) =>
  `(SELECT p.rows FROM published p WHERE p.table_name = '${table}' AND p.partition_date = NEW.partition_date)`;
// Files that the published version does not have: a topic's itself, a derived table's by the version that it read.
const NEWS = `CASE NEW.domain
  WHEN 'src' THEN (SELECT count(*) FROM bronze_file_dates WHERE partition_date = NEW.partition_date) - ${ROWS("silver_src")}
  ELSE ${ROWS("silver_src")} - ${ROWS("silver_agg")} END`;

// Statuses and fences are watched by triggers, so that nothing between two looks escapes.
const WATCH = [
  `CREATE TABLE seen (domain TEXT, date TEXT, "from" TEXT, "to" TEXT, retry_count INTEGER, now REAL, news INTEGER, changed_at INTEGER)`,
  `CREATE TRIGGER seen_status AFTER UPDATE OF status ON partition_meta WHEN OLD.status <> NEW.status BEGIN
     INSERT INTO seen VALUES (NEW.domain, NEW.partition_date, OLD.status, NEW.status, NEW.retry_count, unixepoch('subsec') * 1000, ${NEWS},
       (SELECT changed_at FROM partition_inputs i WHERE i.domain = NEW.domain AND i.partition_date = NEW.partition_date)); END`,
  // No partition is DONE and queued but in the middle of the planner's own change, and of those only the closing changes its inputs.
  "CREATE TABLE closings (domain TEXT, date TEXT, news INTEGER)",
  `CREATE TRIGGER seen_closing AFTER UPDATE OF version ON partition_inputs WHEN EXISTS (SELECT 1 FROM partition_leases l JOIN partition_meta m
     USING (domain, partition_date) WHERE domain = NEW.domain AND partition_date = NEW.partition_date AND m.status = 'DONE' AND l.queued_at > 0)
     BEGIN INSERT INTO closings VALUES (NEW.domain, NEW.partition_date, ${NEWS}); END`,
  `CREATE TRIGGER fence_grows AFTER UPDATE ON partition_leases WHEN NEW.fence < OLD.fence BEGIN SELECT RAISE(ABORT, 'a fence went back'); END`,
  `CREATE TRIGGER old_fence_insert AFTER INSERT ON published WHEN (SELECT fence FROM versions v WHERE v.table_name = NEW.table_name AND v.version = NEW.version)
     <> (SELECT fence FROM partition_leases l WHERE 'silver_' || l.domain = NEW.table_name AND l.partition_date = NEW.partition_date)
     BEGIN SELECT RAISE(ABORT, 'an old fence published'); END`,
  `CREATE TRIGGER old_fence_update AFTER UPDATE ON published WHEN (SELECT fence FROM versions v WHERE v.table_name = NEW.table_name AND v.version = NEW.version)
     <> (SELECT fence FROM partition_leases l WHERE 'silver_' || l.domain = NEW.table_name AND l.partition_date = NEW.partition_date)
     BEGIN SELECT RAISE(ABORT, 'an old fence published'); END`,
];

export class Catalog {
  now = START;
  readonly d1 = new FaultyD1(() => this.now);
  readonly queue: BuildRequest[] = [];
  readonly builders: Builder[] = [];
  stale: readonly PartitionRow[] = [];
  /** Versions of src that a closing alone made: for whoever has read the one before, they are the same rows. */
  readonly #alike = new Map<number, number>();
  #runs = 0;
  #files = 0;
  #backfills = 0;

  readonly policy: PlanPolicy;

  constructor(policy = POLICY) {
    this.policy = policy;
    for (const sql of WATCH) this.d1.rows(sql);
  }

  /** A bronze file arrives; registered twice, as an outbox may. */
  async input(date: string): Promise<void> {
    const n = this.#files++;
    const file = {
      file: `bronze/src/${n}`,
      topic: "src",
      shard: 0,
      shardOf: 1,
      incarnation: "i",
      seq: n,
      rows: 1,
      bytes: 1,
      minReceived: "",
      maxReceived: "",
      dates: [{ date, firstRow: 0, rows: 1 }],
      // The ledger is no table of this catalog.
      hours: [],
    };
    for (let i = 0; i < 2; i++) await this.d1.binding.batch(registerFiles(this.d1.binding, [file], ""));
  }

  async tick(): Promise<number> {
    const builds = {
      sendBatch: async (sent: { body: BuildRequest }[]) => void this.queue.push(...sent.map(({ body }) => body)),
    };
    const db = this.d1.binding;
    const report = await planWithBackfills({
      db,
      plan: () => plan({ db, builds, policy: this.policy, newNonce: randomUUID, log: () => {} }),
    });
    const most = this.d1.rows<{ n: number }>(
      `SELECT max(n) AS n FROM (SELECT count(*) - b.max_active_runs AS n FROM backfill_partitions p JOIN backfills b USING (backfill_id)
       WHERE p.state = 'STARTED' GROUP BY b.backfill_id)`,
    )[0]?.n;
    if ((most ?? 0) > 0) throw new Error("a backfill started more than it may");
    return report.queued;
  }

  /** The first half of a slow tick: what it decides on is as old as the schedule makes it. */
  async readPlan(): Promise<void> {
    this.stale = (await activePartitions(this.d1.binding)).rows;
  }

  async applyPlan(): Promise<void> {
    const transitions = planTransitions(this.stale, this.policy);
    this.stale = [];
    if (transitions.length === 0) return;
    await this.d1.binding.batch(transitions.flatMap((one) => applyTransition(this.d1.binding, one)));
    this.queue.push(...transitions.filter((one) => one.queue).map(({ domain, date }) => ({ domain, date })));
  }

  /** A consumer takes a message; `again`: the queue delivers it once more later. */
  async deliver(n: number, again: boolean): Promise<void> {
    const at = n % Math.max(1, this.queue.length);
    const message = this.queue[at];
    if (message === undefined) return;
    if (!again) this.queue.splice(at, 1);
    const run = `run-${this.#runs++}`;
    const lease = await acquireLease(this.d1.binding, {
      ...message,
      nonce: message.nonce ?? null,
      runId: run,
      leaseMs: LEASE_MS,
    });
    if (lease !== undefined) this.builders.push({ lease, inputs: undefined });
  }

  /** A builder looks up its inputs: what it will have seen, whatever comes afterwards. */
  async read(n: number): Promise<void> {
    const builder = this.builders[n % Math.max(1, this.builders.length)];
    if (builder === undefined || builder.inputs !== undefined) return;
    builder.inputs = await this.inputsOf(builder.lease.domain, builder.lease.date);
  }

  async inputsOf(domain: string, date: string): Promise<Inputs> {
    if (domain === "src") {
      const files = await bronzeInputs(this.d1.binding, new MemoryBucket(), "src", date);
      const seen = Math.max(0, ...files.map(({ registration }) => registration));
      return { rows: files.length, seen, digest: digestOf(files.map(({ file }) => file)) };
    }
    const read = await publishedPartition(this.d1.binding, "silver_src", date);
    const digest = digestOf([inputName("silver_src", date, read?.version ?? 0)]);
    return { rows: read?.rows ?? 0, seen: null, digest };
  }

  /** What the published version may have been built of: a closing that added nothing asks nobody to read its version. */
  async inputsAlike(domain: string, date: string): Promise<Inputs[]> {
    const alike = [await this.inputsOf(domain, date)];
    if (domain !== "agg") return alike;
    const [now] = alike;
    let version = (await publishedPartition(this.d1.binding, "silver_src", date))?.version;
    for (version = this.#before(version); version !== undefined; version = this.#before(version))
      alike.push({ rows: now?.rows ?? 0, seen: null, digest: digestOf([inputName("silver_src", date, version)]) });
    return alike;
  }

  #before(version: number | undefined): number | undefined {
    return version === undefined ? undefined : this.#alike.get(version);
  }

  async end(n: number, ending: Ending): Promise<void> {
    const at = n % Math.max(1, this.builders.length);
    const builder = this.builders[at];
    if (builder === undefined) return;
    await this.read(at);
    this.builders.splice(at, 1);
    const { lease, inputs } = builder;
    if (inputs === undefined || ending === "crash") return;
    if (ending === "data" || ending === "system") {
      const failure = {
        failureClass: ending,
        message: "fault",
        backoffMs: ending === "system" ? backoffMs(lease.retryCount) : 0,
      };
      await this.d1.binding.batch(failRun(this.d1.binding, lease, failure));
      return;
    }
    const published = await publishedPartition(this.d1.binding, `silver_${lease.domain}`, lease.date);
    const addsNothing = !lease.rebuild && published?.digest === inputs.digest;
    const fault: D1Fault | undefined =
      ending === "commitAnswerLost" ? "after" : ending === "commitRefused" ? "before" : undefined;
    this.d1.faults.push(fault);
    const holds = this.#holds(lease);
    const mine = await this.#commit(lease, inputs, addsNothing);
    if (mine && addsNothing && lease.domain === "src" && published !== undefined) {
      const now = await publishedPartition(this.d1.binding, "silver_src", lease.date);
      if (now !== undefined) this.#alike.set(now.version, published.version);
    }
    if (mine !== (holds && ending !== "commitRefused"))
      throw new Error(`${lease.runId} holds ${holds}, published ${mine}`);
    if (!mine)
      await this.d1.binding.batch(
        failRun(this.d1.binding, lease, { failureClass: "system", message: "lost", backoffMs: 0 }),
      );
  }

  async #commit(lease: Lease, inputs: Inputs, addsNothing: boolean): Promise<boolean> {
    const table = `silver_${lease.domain}`;
    const commit = {
      ...inputs,
      lease,
      table,
      added: [{ file: `${table}/${lease.runId}`, kind: "data", rows: inputs.rows, bytes: 1 }],
      removed: "all",
      rowsAdded: inputs.rows,
      completeThrough: null,
      generation: { content: null },
      rowsIn: 1,
      inputs: 1,
      layer: "silver",
      path: "",
      // Both tables have checks that wait for the closing.
      awaitsClosing: lease.now < this.policy.judgedAt(lease.domain, lease.date),
      dependents: lease.domain === "src" && !addsNothing ? [{ domain: "agg", date: lease.date, ifKnown: false }] : [],
    } as const;
    try {
      return await commitVersion(this.d1.binding, commit);
    } catch {
      return isPublishedBy(this.d1.binding, table, lease.date, lease.runId);
    }
  }

  #holds(lease: Lease): boolean {
    const row = this.d1.rows<{ run_id: string | null; fence: number }>(
      "SELECT run_id, fence FROM partition_leases WHERE domain = ? AND partition_date = ?",
      lease.domain,
      lease.date,
    )[0];
    return row?.run_id === lease.runId && row.fence === lease.fence;
  }

  /** The operator's own words. Their transition is theirs, not the machine's. */
  operator(domain: string, from: string, to: string): void {
    const seen = this.d1.rows<{ n: number }>("SELECT coalesce(max(rowid), 0) AS n FROM seen")[0]?.n ?? 0;
    this.d1.rows(
      "UPDATE partition_meta SET status = 'PENDING', retry_count = 0 WHERE domain = ? AND partition_date BETWEEN ? AND ?",
      domain,
      from,
      to,
    );
    this.d1.rows("DELETE FROM seen WHERE rowid > ?", seen);
  }

  /** The other words of an operator: the planner discovers what has inputs anew. */
  forget(domain: string, date: string): void {
    this.d1.rows("DELETE FROM partition_meta WHERE domain = ? AND partition_date = ?", domain, date);
  }

  /** A backfill of everything, as many partitions at a time. */
  async backfill(domain: string, maxActive: number): Promise<void> {
    const db = this.d1.binding;
    const found = await backfillCandidates(db, [domain], { from: DATES[0], to: DATES[1] }, 10);
    const id = `b${String(++this.#backfills).padStart(6, "0")}`;
    const row = { backfill_id: id, domain, layer: "silver", from_date: DATES[0], to_date: DATES[1] } as const;
    await createBackfill(db, { ...row, reprocess: "completed", max_active_runs: maxActive, created_by: "key" }, found);
  }

  /** What is open of backfills: at rest nothing is. */
  openBackfills(): unknown[] {
    return this.d1.rows(
      "SELECT domain, partition_date, state FROM backfill_partitions WHERE state IN ('WAITING', 'STARTED') UNION ALL SELECT domain, '', 'open' FROM backfills WHERE ended_at IS NULL",
    );
  }
}
