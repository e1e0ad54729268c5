/**
 * Bronze of closed dates leaves D1, by random schedules of flushes, late ones too, compactions, builds, folds that are cut short or
 * overtaken, and retention: a reader always finds the same rows under the same positions, each once, the ledger's sums are what they
 * were, the files that stand are what they were, and once all is quiet D1 has nothing of what is closed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { foldBronze } from "../../lakehouse/tables/bronze/fold.ts";
import { foldedFiles } from "../../lakehouse/tables/bronze/folded-files.ts";
import { bronzeInputs, unseenInputs } from "../../lakehouse/tables/bronze/inputs.ts";
import { retire } from "../../lakehouse/upkeep/retention/retire.ts";
import type { BronzeFile } from "../../sql/statements/bronze.ts";
import type { BronzeInput } from "../../sql/statements/bronze-inputs.ts";
import { insertCompaction, registerCompaction } from "../../sql/statements/compactions.ts";
import { objectsOf } from "../../sql/statements/tombstones.ts";
import { longOrShare } from "../long-share.ts";
import { Objects } from "../oracle/bronze-objects.ts";
import { expectEqual } from "../oracle/expect-equal.ts";
import { type D1Fault, FaultyD1 } from "../oracle/faulty-d1.ts";
import { AnswerLostError, MemoryBucket } from "../oracle/memory-bucket.ts";
import { registerFiles } from "../oracle/register.ts";
import { versionSql } from "../oracle/version-sql.ts";
import { requireContract } from "../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TOPIC = "weather";

type Op =
  | {
      readonly do: "flush";
      readonly incarnation: string;
      readonly daysAgo: readonly number[];
      readonly shared: boolean;
    }
  | { readonly do: "plan"; readonly leave: number }
  | { readonly do: "compact" }
  | { readonly do: "build" | "pass" | "settle" }
  | { readonly do: "fold"; readonly faults: readonly (D1Fault | undefined)[]; readonly put: boolean }
  /** Between the manifest's put and the turn of D1 late files are registered and built, or another run folds, or retires. */
  | { readonly do: "overtaken"; readonly by: "flush" | "fold" | "retire" }
  | { readonly do: "retire"; readonly days: number };

const daysAgo = fc.uniqueArray(fc.constantFrom(0, 1, 6, 7), { minLength: 1, maxLength: 3 });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("flush" as const),
      incarnation: fc.constantFrom("b", "a", "a"),
      daysAgo,
      shared: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("plan" as const), leave: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("compact" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("build" as const, "pass" as const, "settle" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("fold" as const),
      faults: fc.array(fc.constantFrom<D1Fault | undefined>(undefined, undefined, "before", "after"), { maxLength: 6 }),
      put: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("overtaken" as const),
      by: fc.constantFrom("flush" as const, "fold" as const, "retire" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retire" as const), days: fc.nat(12) }) },
);

class Bronze {
  now = NOON;
  readonly d1 = new FaultyD1(() => this.now);
  readonly bucket = new MemoryBucket(() => this.now);
  readonly objects = new Objects();
  /** Files of flushes, as the catalog would have them if it never folded. */
  readonly flushed: { readonly file: BronzeFile; readonly registration: number }[] = [];
  /** Live files. */
  readonly live = new Set<string>();
  readonly hours = new Map<string, number>();
  #seq = 0;
  #version = 0;

  get iso(): string {
    return new Date(this.now).toISOString();
  }

  async flush(incarnation: string, days: readonly number[], shared: boolean): Promise<void> {
    const dates = days.map((ago) => new Date(this.now - ago * DAY_MS).toISOString().slice(0, 10)).sort();
    await this.flushOf(incarnation, dates, shared);
  }

  async flushOf(incarnation: string, dates: readonly string[], shared: boolean): Promise<void> {
    const seq = ++this.#seq;
    const name = `000-${incarnation}-${String(seq).padStart(8, "0")}.parquet`;
    const flush = { topic: TOPIC, shard: 0, shardOf: 1, incarnation, seq, bytes: 1 };
    const received = { minReceived: this.iso, maxReceived: new Date(this.now + HOUR_MS / 2).toISOString() };
    const of = (key: string, own: readonly string[]): BronzeFile => {
      const ranges = own.map((date, n) => ({ date, firstRow: n * 2, rows: 2 }));
      const hours = ranges.map(({ date, rows }) => ({ date, hour: `${this.iso.slice(0, 13)}:00:00Z`, rows }));
      return { ...flush, ...received, file: key, rows: own.length * 2, dates: ranges, hours };
    };
    const files = shared
      ? [of(`bronze_mixed/${TOPIC}/${name}`, dates)]
      : dates.map((date) => of(`bronze/${TOPIC}/event_date=${date}/${name}`, [date]));
    await this.d1.binding.batch(registerFiles(this.d1.binding, files, this.iso));
    const registration = seq;
    for (const file of files) {
      this.objects.flush(file, registration);
      this.flushed.push({ file, registration });
      this.live.add(file.file);
      for (const { date, hour, rows } of file.hours ?? [])
        this.hours.set(`${hour} ${date}`, (this.hours.get(`${hour} ${date}`) ?? 0) + rows);
    }
  }

  /** Of one folder and incarnation, those that are in D1 and no older than compaction looks back; some stay. */
  async plan(leave: number): Promise<void> {
    const since = new Date(this.now - 72 * HOUR_MS).toISOString();
    const small = this.d1
      .rows<{ file: string; incarnation: string }>(
        `SELECT file, incarnation FROM bronze_files WHERE retired_by IS NULL AND registration IS NOT NULL AND registered_at >= '${since}' ORDER BY file`,
      )
      .filter(({ file }) => !this.#pending.some(({ keys }) => keys.includes(file)))
      .map(({ file, incarnation }) => ({ file, group: `${file.slice(0, file.lastIndexOf("/"))} ${incarnation}` }));
    for (const [, group] of Map.groupBy(small, (each) => each.group)) {
      const keys = group.slice(leave).map(({ file }) => file);
      if (keys.length < 2) continue;
      const file = (keys[0] ?? "").replace(/[^/]*$/, `compacted-${++this.#compactions}.parquet`);
      await insertCompaction(this.d1.binding, { file, topic: TOPIC, inputs: keys }, this.now).run();
      this.#pending.push({ file, keys });
    }
  }

  /** What was planned. */
  async compact(): Promise<void> {
    for (const { file, keys } of this.#pending.splice(0)) {
      const inputs = keys.flatMap((key) => this.flushed.filter((each) => each.file.file === key));
      const [first] = inputs;
      if (first === undefined) continue;
      const dates = this.objects.compact(
        file,
        inputs.map((input) => input.file),
      );
      const rows = inputs.reduce((sum, input) => sum + input.file.rows, 0);
      const compacted = { ...first.file, file, rows, dates };
      const status = await registerCompaction(this.d1.binding, compacted, keys, this.iso);
      if (status !== "DONE") continue;
      for (const key of keys) this.live.delete(key);
      this.live.add(file);
    }
  }
  readonly #pending: { readonly file: string; readonly keys: readonly string[] }[] = [];
  #compactions = 0;

  /** Every date that has news. */
  build(): void {
    const dates = this.d1.rows<{ date: string }>(
      `SELECT partition_date AS date FROM partition_inputs WHERE domain = '${TOPIC}' AND version <> built_version`,
    );
    for (const { date } of dates) {
      for (const statement of versionSql({
        table: `silver_${TOPIC}`,
        version: ++this.#version,
        date,
        at: this.iso,
      }).split(";\n"))
        if (statement.trim() !== "") this.d1.rows(statement);
      this.d1.rows(
        `UPDATE partition_inputs SET built_version = version WHERE domain = '${TOPIC}' AND partition_date = '${date}'`,
      );
    }
  }

  async fold(): Promise<number> {
    return (await foldBronze(this.d1.binding, this.bucket, [TOPIC], this.now)).dates;
  }

  get dates(): string[] {
    return [...new Set(this.flushed.flatMap(({ file }) => file.dates.map(({ date }) => date)))].sort();
  }

  /** Nothing is in doubt: what a reader finds is what a catalog that never folds would tell. */
  async check(): Promise<void> {
    const { binding } = this.d1;
    const told = (inputs: readonly BronzeInput[]) =>
      inputs.map((input) => `${input.registration} ${input.file} ${input.first_row}: ${this.objects.read(input)}`);
    const standing = new Set<string>();
    for (const date of this.dates) {
      const expected = this.flushed.flatMap(({ file, registration }) =>
        file.dates
          .filter((one) => one.date === date)
          .map(({ firstRow, rows }) => {
            const own = Array.from({ length: rows }, (_, row) => `${registration}/${firstRow + row}`);
            return `${registration} ${file.file} ${firstRow}: ${own}`;
          }),
      );
      expectEqual(told(await bronzeInputs(binding, this.bucket, TOPIC, date)), expected);
      const found: string[] = [];
      for (let seen = 0, more = true; more; ) {
        const unseen = await unseenInputs(binding, this.bucket, TOPIC, date, seen, 5);
        found.push(...told(unseen.inputs));
        ({ through: seen, more } = unseen);
      }
      expectEqual(found, expected);
    }
    for (const { file } of this.d1.rows<{ file: string }>("SELECT file FROM bronze_files WHERE retired_by IS NULL"))
      standing.add(file);
    for (const { file, retired } of await foldedFiles(binding, this.bucket, TOPIC, {})) {
      if (retired !== true) standing.add(file);
    }
    expectEqual([...standing].sort(), [...this.live].sort());
    const hours = this.d1.rows<{ hour: string; date: string; rows: number }>(
      "SELECT hour, partition_date AS date, sum(rows) AS rows FROM bronze_file_hours GROUP BY 1, 2",
    );
    expectEqual(new Map(hours.map(({ hour, date, rows }) => [`${hour} ${date}`, rows])), this.hours);
    const dangling =
      "SELECT file FROM bronze_files f WHERE NOT EXISTS (SELECT 1 FROM bronze_file_dates d WHERE d.file = f.file)";
    expect(this.d1.rows(dangling)).toEqual([]);
    for (const { object } of this.d1.rows<{ object: string }>("SELECT object FROM tombstones"))
      for (const key of objectsOf(object)) expectEqual(this.live.has(key), false);
    for (const { manifest } of this.d1.rows<{ manifest: string }>("SELECT manifest FROM bronze_manifests"))
      expectEqual(this.bucket.objects.has(manifest), true);
  }

  manifests(): string[] {
    return this.d1
      .rows<{ manifest: string }>("SELECT manifest FROM bronze_manifests")
      .map(({ manifest }) => new TextDecoder().decode(this.bucket.bytesOf(manifest)));
  }

  async retire(days: number): Promise<void> {
    const contract = { ...requireContract(TOPIC), sla: { retentionMs: days * DAY_MS } };
    await retire({ db: this.d1.binding, bucket: this.bucket, contracts: [contract] }, this.now);
    const last = new Date(this.now - days * DAY_MS - DAY_MS).toISOString().slice(0, 10);
    const gone = this.d1.rows<{ object: string }>("SELECT object FROM tombstones WHERE reason = 'retention'");
    for (const { object } of gone) {
      if (!this.live.delete(object)) continue;
      // Every date that has rows in the object is past it.
      const rows = new Set(this.objects.all(object).map((row) => row.split("/")[0]));
      const dates = this.flushed
        .filter(({ registration }) => rows.has(String(registration)))
        .flatMap(({ file }) => (object.includes("event_date=") ? [] : file.dates.map(({ date }) => date)));
      for (const date of dates) expectEqual(date <= last, true);
    }
  }
}

async function step(bronze: Bronze, one: Op): Promise<void> {
  switch (one.do) {
    case "flush":
      bronze.now += 60_000;
      return bronze.flush(one.incarnation, one.daysAgo, one.shared);
    case "plan":
      return bronze.plan(one.leave);
    case "compact":
      return bronze.compact();
    case "build":
      return bronze.build();
    // Days in which all goes well.
    case "settle":
      await bronze.plan(0);
      await bronze.compact();
      bronze.build();
      bronze.now += 6 * DAY_MS;
      await bronze.fold();
      return;
    case "pass":
      bronze.now += 3 * DAY_MS;
      return;
    case "fold": {
      bronze.d1.faults.push(...one.faults);
      if (one.put) bronze.bucket.failures.push(undefined, new AnswerLostError("lost"));
      await bronze.fold().catch(() => {});
      bronze.d1.faults.splice(0);
      bronze.bucket.failures.splice(0);
      return;
    }
    case "overtaken": {
      await bronze.flush("b", [0, 1], false);
      bronze.build();
      bronze.now += 6 * DAY_MS;
      let puts = 0;
      const { bucket } = bronze;
      const overtaking = {
        get: (key: string) => bucket.get(key),
        put: async (...args: Parameters<typeof bucket.put>) => {
          const put = await bucket.put(...args);
          if (puts++ > 0) return put;
          if (one.by === "fold") await bronze.fold();
          else if (one.by === "retire") await bronze.retire(0);
          else {
            await bronze.flushOf("a", bronze.dates, false);
            bronze.build();
          }
          return put;
        },
      };
      await foldBronze(bronze.d1.binding, overtaking, [TOPIC], bronze.now);
      return;
    }
    case "retire":
      return bronze.retire(one.days);
  }
}

test("the same rows under the same positions, wherever they are listed; in the end D1 has none of a closed date", async () => {
  const met = { folded: 0, again: 0, compacted: 0, retired: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40 }), async (ops) => {
      const bronze = new Bronze();
      for (const one of ops) {
        await step(bronze, one);
        await bronze.check();
        for (const text of bronze.manifests()) {
          met.folded++;
          if (text.includes("compacted-")) met.compacted++;
          if (text.includes('"retired":true')) met.retired++;
        }
      }
      await bronze.compact();
      bronze.build();
      bronze.now += 6 * DAY_MS;
      const before = bronze.manifests().length;
      while ((await bronze.fold()) > 0) if (before > 0) met.again++;
      await bronze.check();
      for (const table of ["bronze_files", "bronze_file_dates", "compactions WHERE status <> 'DROPPED'"])
        expect(bronze.d1.rows(`SELECT * FROM ${table}`)).toEqual([]);
      const hours = bronze.d1.rows<{ n: number }>("SELECT count(*) AS n FROM bronze_file_hours");
      expect(hours[0]?.n).toBe(bronze.hours.size);
    }),
    { numRuns: longOrShare(120, 40) },
  );
  for (const times of Object.values(met)) expect(times).toBeGreaterThan(0);
});
