/**
 * Versions against a naive model that keeps every state of a table whole: random commits, compactions, candidates, rollbacks, folding and thinning;
 * whatever version can still be read, and each partition's live one, has exactly the files that the model says, and no object that any
 * of them has is let go.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { rollBackTable } from "../../lakehouse/builds/rollback.ts";
import { filesAsOf } from "../../lakehouse/tables/files-as-of.ts";
import { foldClosed, unfold } from "../../lakehouse/tables/fold.ts";
import { livePartition } from "../../lakehouse/tables/live-files.ts";
import { parseManifest } from "../../lakehouse/tables/manifest.ts";
import { holdsOf, inRowOrder, rowsThrough } from "../../lakehouse/tables/row-order.ts";
import { retire } from "../../lakehouse/upkeep/retention/retire.ts";
import { commitVersion } from "../../sql/statements/commits.ts";
import { acquireLease } from "../../sql/statements/leases.ts";
import { releasePins } from "../../sql/statements/rollbacks.ts";
import { commitCompaction, endCompaction, leaseForCompaction } from "../../sql/statements/table-compaction.ts";
import { objectsOf } from "../../sql/statements/tombstones.ts";
import { listVersions } from "../../sql/statements/versions.ts";
import { longOrShare } from "../long-share.ts";
import { expectEqual } from "../oracle/expect-equal.ts";
import { FaultyD1 } from "../oracle/faulty-d1.ts";
import { tableOf } from "../oracle/lake.ts";
import { MemoryBucket } from "../oracle/memory-bucket.ts";

const TABLE = tableOf("weather");
const DATES = ["2026-11-01", "2026-11-02", "2026-11-03"] as const;
const RUNS = longOrShare(120, 8);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Op =
  | {
      readonly do: "commit";
      readonly date: string;
      readonly added: number;
      readonly removed: "all" | "one" | "none";
      readonly candidate: boolean;
    }
  | { readonly do: "compact"; readonly date: string; readonly at: number; readonly count: number }
  | { readonly do: "rollback"; readonly date: string | null; readonly back: number }
  | { readonly do: "overtaken"; readonly date: string }
  | { readonly do: "release" | "fold" | "thin" }
  | { readonly do: "advance"; readonly ms: number };

const date = fc.constantFrom(...DATES);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      date,
      added: fc.integer({ min: 1, max: 3 }),
      removed: fc.constantFrom("all" as const, "one" as const, "none" as const, "none" as const),
      candidate: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      date,
      at: fc.nat(6),
      count: fc.integer({ min: 2, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("rollback" as const), date: fc.option(date), back: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("overtaken" as const), date }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("release" as const, "fold" as const, "thin" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.constantFrom(MINUTE, 20 * MINUTE, 3 * HOUR, 30 * HOUR, 25 * 24 * HOUR),
    }),
  },
);

type State = ReadonlyMap<string, readonly string[]>;

class Versions {
  now = Date.UTC(2026, 10, 1, 12);
  readonly d1 = new FaultyD1(() => this.now);
  readonly bucket = new MemoryBucket(() => this.now);
  /** The model: the table as of each version that it ever had. */
  readonly states: State[] = [new Map()];
  readonly pinned = new Set<string>();
  /** The rows of every file that ever was. */
  readonly contents = new Map<string, readonly number[]>();
  #names = 0;

  get #state(): State {
    return this.states.at(-1) ?? new Map();
  }

  #push(date: string, files: readonly string[]): void {
    this.states.push(new Map([...this.#state, [date, [...files].sort()]]));
  }

  async #lease(date: string) {
    this.d1.rows(
      "INSERT INTO partition_meta (domain, partition_date, status) VALUES ('weather', ?, 'PENDING') ON CONFLICT DO UPDATE SET status = 'PENDING'",
      date,
    );
    this.d1.rows(
      "INSERT INTO partition_leases (domain, partition_date) VALUES ('weather', ?) ON CONFLICT DO NOTHING",
      date,
    );
    return await acquireLease(this.d1.binding, {
      ...{ domain: "weather", date, runId: `run-${this.#names++}` },
      ...{ nonce: null, leaseMs: 16 * MINUTE },
    });
  }

  async commit({ date, added, removed, candidate }: Op & { do: "commit" }): Promise<void> {
    const lease = await this.#lease(date);
    expect(lease === undefined).toBe(this.pinned.has(date));
    if (lease === undefined) return;
    const before = this.#state.get(date) ?? [];
    const files = Array.from({ length: added }, () => `silver/weather/event_date=${date}/${this.#names++}`);
    for (const file of files) this.contents.set(file, [this.#names++]);
    const [one] = before;
    const gone = removed === "all" ? before : removed === "one" && one !== undefined ? [one] : [];
    if (removed !== "none") await unfold(this.d1.binding, this.bucket, TABLE, date);
    if (candidate)
      for (const file of files)
        this.d1.rows(
          "INSERT INTO data_files (table_name, partition_date, file, kind, candidate, rows, bytes) VALUES ('silver_weather', ?, ?, 'data', ?, 1, 1)",
          date,
          file,
          lease.runId,
        );
    const done = await commitVersion(this.d1.binding, {
      lease,
      table: TABLE.name,
      added: candidate ? [] : files.map((file) => ({ file, kind: "data", rows: 1, bytes: 1 })),
      ...(candidate ? { candidate: lease.runId } : {}),
      removed: removed === "all" ? "all" : gone,
      rows: this.#rows(before).length - this.#rows(gone).length + added,
      rowsAdded: added,
      rowsIn: 0,
      inputs: 0,
      seen: this.states.length,
      completeThrough: null,
      generation: { content: null },
      awaitsClosing: false,
      digest: `d${this.states.length}`,
      layer: "silver",
      path: "",
      dependents: [],
      terms: {
        topic: "weather",
        duplicates: [],
        outcomes: [{ hour: "2026-11-01T00:00:00Z", term: "silver", events: this.states.length, replayed: 0 }],
      },
    });
    expect(done).toBe(true);
    this.#push(date, [...before.filter((file) => !gone.includes(file)), ...files]);
  }

  #rows(files: readonly string[]): number[] {
    return files.flatMap((file) => this.contents.get(file) ?? []).sort((a, b) => a - b);
  }

  /** The rows of a date as of a version of the table. */
  #rowsAsOf(version: number, date: string): number[] {
    return this.#rows(this.states[version]?.get(date) ?? []);
  }

  /** Neighbours become one file. Gives whether there were some. */
  async compact({ date, at, count }: Op & { do: "compact" }): Promise<boolean> {
    const db = this.d1.binding;
    const request = { domain: "weather", date, runId: `run-${this.#names++}`, table: TABLE.name, content: "" };
    const lease = await leaseForCompaction(db, { ...request, leaseMs: MINUTE });
    const before = this.#state.get(date);
    // A build that a pin turned away is still asked for once that is released, and goes first.
    const [asked] = this.d1.rows(
      "SELECT 1 FROM partition_meta WHERE domain = 'weather' AND partition_date = ? AND status <> 'DONE'",
      date,
    );
    expect(lease === undefined).toBe(before === undefined || this.pinned.has(date) || asked !== undefined);
    if (lease === undefined) return false;
    const live = await livePartition(db, this.bucket, TABLE.name, date);
    const [first, ...others] = inRowOrder(live?.files ?? []).slice(at, at + count);
    if (live === undefined || first === undefined || others.length === 0) {
      await db.batch(endCompaction(db, lease, null));
      return false;
    }
    const removed = [first, ...others].map(({ file }) => file);
    const file = `silver/weather/event_date=${date}/${this.#names++}`;
    const rows = removed.flatMap((one) => this.contents.get(one) ?? []);
    this.contents.set(file, rows);
    await unfold(db, this.bucket, TABLE, date);
    const added = { file, kind: "data", rows: rows.length, bytes: 1, holds: holdsOf([first, ...others]) } as const;
    const compaction = { lease, table: TABLE.name, before: live, added: [added], removed, rows: rows.length };
    expect(await commitCompaction(db, compaction)).toBe(true);
    this.#push(date, [...(before ?? []).filter((one) => !removed.includes(one)), file]);
    return true;
  }

  async rollback({ date, back }: { readonly date: string | null; readonly back: number }): Promise<void> {
    const versions = await listVersions(this.d1.binding, TABLE.name, null, null, 1_000);
    const target = versions.filter((each) => !each.thinned || each.partition_date === date)[back];
    if (target === undefined || (date !== null && !this.#state.has(date))) return;
    if (target.thinned && target.partition_date !== date) return;
    const deps = { db: this.d1.binding, bucket: this.bucket, newRunId: () => `rollback-${this.#names++}` };
    const { partitions } = await rollBackTable(deps, TABLE, { version: target.version, date, reason: "r" });
    for (const { partition_date: each, to, rows } of partitions) {
      const files = this.states[target.version]?.get(each) ?? [];
      expectEqual(rows, this.#rows(files).length);
      this.#push(each, files);
      this.pinned.add(each);
      const [meta] = this.d1.rows<{ digest: string; seen: number; events: number }>(
        `SELECT v.digest, v.seen, (SELECT coalesce(sum(events), 0) FROM ledger_outcomes WHERE topic = 'weather' AND partition_date = p.partition_date) AS events
         FROM published p JOIN versions v USING (table_name, version) WHERE p.partition_date = ?`,
        each,
      );
      const [old] = this.d1.rows<{ digest: string; seen: number; terms: string }>(
        "SELECT digest, seen, terms FROM versions WHERE version = ?",
        to,
      );
      expect(meta).toMatchObject({ digest: old?.digest ?? "", seen: old?.seen ?? 0 });
      const terms: { outcomes: { events: number }[] } = JSON.parse(old?.terms ?? '{"outcomes":[]}');
      expect(meta?.events).toBe(terms.outcomes.reduce((sum, { events }) => sum + events, 0));
    }
    // Dates that were only compacted since are left alone: they have those rows.
    const now = this.states.length - 1;
    if (date === null)
      for (const each of DATES) expectEqual(this.#rowsAsOf(now, each), this.#rowsAsOf(target.version, each));
  }

  /** A rollback while a build is under way: the build may not publish any more. */
  async overtaken(date: string): Promise<void> {
    if (!this.#state.has(date)) return;
    const lease = await this.#lease(date);
    if (lease === undefined) return;
    await this.rollback({ date, back: 0 });
    const late = {
      lease,
      table: TABLE.name,
      added: [],
      removed: "all",
      rows: 0,
      rowsAdded: 0,
      rowsIn: 0,
      inputs: 0,
    } as const;
    const rest = {
      ...{ generation: { content: null }, awaitsClosing: false },
      seen: 0,
      completeThrough: null,
      digest: "",
      layer: "silver",
      path: "",
      dependents: [],
    } as const;
    expect(await commitVersion(this.d1.binding, { ...late, ...rest })).toBe(false);
  }

  async release(): Promise<void> {
    const released = await releasePins(this.d1.binding, "weather", null);
    expect(released.map(({ partition_date }) => partition_date)).toEqual([...this.pinned].sort());
    this.pinned.clear();
  }

  async judge(): Promise<void> {
    const db = this.d1.binding;
    const named = (files: readonly { readonly file: string }[]) => files.map(({ file }) => file).sort();
    for (const each of DATES) {
      const live = await livePartition(db, this.bucket, TABLE.name, each);
      expectEqual(live === undefined ? undefined : named(live.files), this.#state.get(each));
      if (live === undefined) continue;
      expectEqual(live.rows, this.#rows(named(live.files)).length);
      // Whoever asks for the rows up to a version of the partition gets as many as are left of it.
      for (const { version } of live.files.map(({ added }) => ({ version: added - 1 })))
        expect(rowsThrough(live.files, version)).toBeLessThanOrEqual(this.#rowsAsOf(version, each).length);
    }
    const tombstones = new Set(
      this.d1.rows<{ object: string }>("SELECT object FROM tombstones").flatMap(({ object }) => objectsOf(object)),
    );
    const versions = await listVersions(db, TABLE.name, null, null, 1_000);
    expect(versions[0]?.version ?? 0).toBe(this.states.length - 1);
    for (const { version, thinned } of versions) {
      if (thinned) continue;
      const { files } = await filesAsOf(db, this.bucket, TABLE.name, version);
      const byDate = Map.groupBy(files, (file) => file.partition_date);
      const expected = [...(this.states[version] ?? [])].filter(([, all]) => all.length > 0);
      expectEqual(new Map([...byDate].map(([day, all]) => [day, named(all)])), new Map(expected));
      for (const { file } of files) expectEqual([file, tombstones.has(file)], [file, false]);
    }
    for (const { manifest } of this.d1.rows<{ manifest: string }>(
      "SELECT manifest FROM published WHERE manifest IS NOT NULL",
    ))
      expectEqual([manifest, tombstones.has(manifest)], [manifest, false]);
    // A partition's own version has its files too, though the table may not be read as of it.
    for (const { version, partition_date } of versions) {
      const rows = this.d1.rows<{ file: string }>(
        "SELECT file FROM data_files WHERE partition_date = ?1 AND added <= ?2 AND (removed IS NULL OR removed > ?2)",
        partition_date,
        version,
      );
      const [row] = this.d1.rows<{ manifest: string | null }>(
        "SELECT manifest FROM published WHERE partition_date = ?",
        partition_date,
      );
      const listed = row?.manifest
        ? parseManifest(new TextDecoder().decode(this.bucket.bytesOf(row.manifest))).files
        : [];
      const all = [...rows, ...listed.filter(({ added }) => added <= version)];
      expectEqual(named(all), this.states[version]?.get(partition_date));
      for (const { file } of all) expectEqual([file, tombstones.has(file)], [file, false]);
    }
  }
}

test("every version that can be read, and every partition, is what a naive model says", async () => {
  const met = { compacted: 0, folded: 0, thinned: 0, rolledBack: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40, size: "max" }), async (ops) => {
      const table = new Versions();
      for (const one of ops) {
        switch (one.do) {
          case "commit":
            await table.commit(one);
            break;
          case "compact":
            met.compacted += Number(await table.compact(one));
            break;
          case "rollback":
            await table.rollback(one);
            break;
          case "overtaken":
            await table.overtaken(one.date);
            break;
          case "release":
            await table.release();
            break;
          case "fold":
            table.now += 50 * HOUR;
            met.folded += (await foldClosed(table.d1.binding, table.bucket, table.now)).folded;
            break;
          case "thin":
            met.thinned += (
              await retire({ db: table.d1.binding, bucket: table.bucket, contracts: [] }, table.now)
            ).versions;
            break;
          case "advance":
            table.now += one.ms;
        }
        await table.judge();
      }
      met.rolledBack += table.d1.rows("SELECT 1 FROM versions WHERE kind = 'rollback'").length;
    }),
    { numRuns: RUNS },
  );
  expect(Math.min(met.compacted, met.folded, met.thinned, met.rolledBack)).toBeGreaterThan(longOrShare(RUNS / 4, 0));
});
