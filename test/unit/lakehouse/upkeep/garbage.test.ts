/** What builds leave behind and payloads past their retention go from R2, whatever is cut short; what is needed stays. */
import { beforeAll, describe, expect, test } from "vitest";
import { payloadKey } from "../../../../lakehouse/tables/payload-key.ts";
import { stagedPlaces } from "../../../../lakehouse/tables/staged-places.ts";
import { buryAbandoned } from "../../../../lakehouse/upkeep/retention/bury-abandoned.ts";
import { deleteTombstones } from "../../../../lakehouse/upkeep/retention/delete-due.ts";
import { deletePayloads } from "../../../../lakehouse/upkeep/retention/delete-payloads.ts";
import { forgetRuns } from "../../../../lakehouse/upkeep/retention/forget-runs.ts";
import { thinVersions } from "../../../../sql/statements/thinning.ts";
import { objectsOf } from "../../../../sql/statements/tombstones.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { sweep } from "../../../oracle/compaction.ts";
import { type D1Fault, FaultyD1 } from "../../../oracle/faulty-d1.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { AnswerLostError, MemoryBucket } from "../../../oracle/memory-bucket.ts";
import { registerFiles } from "../../../oracle/register.ts";
import { requireContract, weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;

beforeAll(() => loadParquetWasm());

const bury = (lake: Lake) =>
  buryAbandoned({ db: lake.d1.binding, bucket: lake.bucket, places: stagedPlaces }, lake.now);
const silver = (lake: Lake) =>
  [...lake.bucket.objects.keys()].filter((key) => /^silver\/weather\/.*parquet$/.test(key)).sort();
const live = (lake: Lake) =>
  lake.d1
    .rows<{ file: string }>(
      `SELECT file FROM data_files WHERE table_name = 'silver_weather' AND removed IS NULL ORDER BY file`,
    )
    .map(({ file }) => file);

async function landed(): Promise<Lake> {
  const lake = new Lake(NOON);
  const events = ["a", "b"].map((eventId) => ({ eventId, at: (NOON - 60_000) * 1_000 }));
  await lake.land("weather", [weatherMessage({ messageId: uuidAt(NOON, 1), received: NOON * 1_000, events })]);
  await lake.plan();
  return lake;
}

/** A build of the date in which one call fails: of D1, or of R2. */
async function faultyBuild(lake: Lake, call: number, fault: D1Fault | Error): Promise<void> {
  const before = Array.from({ length: call }, () => undefined);
  if (fault instanceof Error) lake.bucket.failures.push(...before, fault);
  else lake.d1.faults.push(...before, fault);
  await lake.build(tableOf("weather"), DAY).catch(() => {});
  lake.bucket.failures.splice(0);
  lake.d1.faults.splice(0);
}

describe("files of builds that did not commit", () => {
  const faults: [string, D1Fault | Error, boolean][] = [
    ["D1, nothing done", "before", true],
    // Of the look at whether the files are folded, which stands behind the staging.
    ["D1, answer lost", "after", true],
    ["R2, nothing done", new Error("R2 is down"), false],
    ["R2, answer lost", new AnswerLostError("lost"), true],
  ];
  test.each(faults)("go in the end, whichever call of the build failed (%s)", async (_, fault, leaves) => {
    let left = 0;
    for (let call = 0; call < 12; call++) {
      const lake = await landed();
      await faultyBuild(lake, call, fault);
      lake.now += 17 * 60_000;
      await lake.settle();
      expect(live(lake)).toHaveLength(1);
      left += silver(lake).length - 1;
      for (let day = 0; day < 9; day++) {
        lake.now += DAY_MS;
        await bury(lake);
        await sweep(lake);
        for (const file of live(lake)) expect(lake.bucket.objects.has(file)).toBe(true);
      }
      expect(silver(lake)).toEqual(live(lake));
    }
    expect(left > 0).toBe(leaves);
  });

  /** A lake in which the first build failed after it had staged its file. */
  async function failed(): Promise<Lake> {
    for (let call = 0; call < 12; call++) {
      const lake = await landed();
      await faultyBuild(lake, call, "before");
      const [run] = lake.d1.rows<{ status: string }>("SELECT status FROM run_history");
      if (run?.status === "FAILED" && silver(lake).length === 1) return lake;
    }
    throw new Error("no call left a file behind");
  }

  test("a lost one's stay for a day, then another until they are deleted", async () => {
    const lake = await failed();
    lake.d1.rows("UPDATE abandoned_runs SET status = 'LOST', ended_at = ?", new Date(lake.now).toISOString());
    lake.now += DAY_MS;
    expect(await bury(lake)).toEqual({ runs: 0, files: 0 });
    lake.now += 1;
    // Its rows, and its keys.
    expect(await bury(lake)).toEqual({ runs: 1, files: 2 });
    lake.now += DAY_MS - 1;
    await sweep(lake);
    expect(silver(lake)).toHaveLength(1);
    lake.now += 1;
    await sweep(lake);
    expect(silver(lake)).toEqual([]);
  });

  test("the candidate of a partition that waits stays for as long as it waits; an earlier one for a week", async () => {
    const lake = await failed();
    const [candidate = ""] = silver(lake);
    lake.d1.rows("UPDATE partition_meta SET status = 'FAILED'");
    lake.now += 30 * DAY_MS;
    expect(await bury(lake)).toEqual({ runs: 0, files: 0 });
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    await lake.settle();
    expect(await bury(lake)).toEqual({ runs: 1, files: 2 });
    lake.now += DAY_MS + HOUR;
    await sweep(lake);
    expect(silver(lake)).toEqual(live(lake));
    expect(lake.bucket.objects.has(candidate)).toBe(false);
  });

  test("a burial that is cut short anywhere is done again; one call of R2 a folder, none when there is nothing", async () => {
    for (const fault of ["before", "after"] as const) {
      for (let call = 0; call < 2; call++) {
        const lake = await failed();
        lake.now += 17 * 60_000;
        await lake.settle();
        lake.now += 8 * DAY_MS;
        lake.d1.faults.push(...Array.from({ length: call }, () => undefined), fault);
        await expect(bury(lake)).rejects.toThrow();
        lake.bucket.failures.push(new Error("R2 is down"));
        await bury(lake).catch(() => {});
        lake.bucket.failures.splice(0);
        await bury(lake);
        expect(lake.d1.rows("SELECT object FROM tombstones WHERE reason = 'abandoned'")).toHaveLength(2);
        lake.bucket.failures.push(new Error("no call was to be made"));
        expect(await bury(lake)).toEqual({ runs: 0, files: 0 });
      }
    }
  });
});

describe("many objects that go at once", () => {
  const FILES = 2_500;
  const KEPT = { all: "2026-01-01", hourly: "2026-01-01", daily: "2026-01-01" };

  test("stand in few tombstones of a bounded size, and a run deletes a bounded number", async () => {
    const d1 = new FaultyD1(() => NOON);
    const bucket = new MemoryBucket(() => NOON);
    d1.rows(
      `INSERT INTO data_files (table_name, partition_date, file, again, kind, added, removed, rows, bytes)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${FILES})
       SELECT 'silver_weather', '${DAY}', 'silver/weather/event_date=${DAY}/file-' || i || '.parquet', 0, 'data', 1, 2, 1, 1 FROM n`,
    );
    await thinVersions(d1.binding, KEPT, {}, 10);
    const tombstones = d1.rows<{ object: string }>("SELECT object FROM tombstones").map(({ object }) => object);
    expect(tombstones.map((object) => objectsOf(object).length).sort()).toEqual([1_000, 1_000, 500]);
    expect(new Set(tombstones.flatMap(objectsOf)).size).toBe(FILES);

    d1.rows("UPDATE tombstones SET delete_after = '2026-01-01'");
    const run = (objects: number) =>
      deleteTombstones({ db: d1.binding, bucket, log: () => {} }, { tombstones: 10, objects });
    // The first is taken whatever it lists.
    const [first, second, third] = [await run(1), await run(1_200), await run(1_200)];
    expect([first.more, second.more, third]).toEqual(["now", "now", { deleted: 0 }]);
    expect(first.deleted + second.deleted).toBe(FILES);
    expect(d1.rows("SELECT object FROM tombstones")).toEqual([]);
  });
});

describe("payloads of dead letters", () => {
  const KEPT_MS = 30 * DAY_MS;
  const contract = { ...requireContract("dead_letters"), sla: { retentionMs: KEPT_MS } };
  const OTHER = "2026-11-22";

  class Payloads {
    now = NOON;
    readonly lake = new Lake(NOON);
    readonly bucket = new MemoryBucket(() => this.now);

    put(date: string, id: string): Promise<R2Object> {
      return this.bucket.put(payloadKey(date, id), "payload");
    }
    tick(): Promise<{ readonly payloads: number }> {
      return deletePayloads({ db: this.lake.d1.binding, bucket: this.bucket, contract }, this.now);
    }
    keys(): string[] {
      return [...this.bucket.objects.keys()].sort();
    }
  }

  test("stay as long as bronze, which the shipped contract keeps for good", async () => {
    const at = new Payloads();
    await at.put(DAY, "1");
    at.now += 4_000 * DAY_MS;
    const shipped = requireContract("dead_letters");
    const deps = { db: at.lake.d1.binding, bucket: at.bucket, contract: shipped };
    expect(await deletePayloads(deps, at.now)).toEqual({ payloads: 0 });
    expect(at.keys()).toHaveLength(1);
  });

  test("go when their date and they themselves are past the retention of dead letters", async () => {
    const at = new Payloads();
    await at.put(DAY, "1");
    at.now += DAY_MS;
    await at.put(OTHER, "2");
    await at.bucket.put("dead_letters/other", "no payload");
    at.now = Date.UTC(2026, 10, 22) + KEPT_MS - 1;
    expect(await at.tick()).toEqual({ payloads: 0 });
    // A replay that was refused again: under the first reception.
    await at.put(DAY, "again");
    at.now += 1;
    expect(await at.tick()).toEqual({ payloads: 1 });
    expect(at.keys()).toEqual(["dead_letters/other", payloadKey(DAY, "again"), payloadKey(OTHER, "2")]);
    at.now += KEPT_MS;
    expect(await at.tick()).toEqual({ payloads: 2 });
    expect(at.keys()).toEqual(["dead_letters/other"]);
  });

  test("stay while their date has bronze that is not retired", async () => {
    const at = new Payloads();
    await at.put(DAY, "1");
    const time = new Date(NOON).toISOString();
    const row = {
      ...{ topic: "dead_letters", shard: 0, shardOf: 1, incarnation: "i", seq: 1, file: "bronze/f", rows: 1, bytes: 1 },
      ...{ minReceived: time, maxReceived: time, dates: [{ date: DAY, firstRow: 0, rows: 1 }] },
    };
    await at.lake.d1.binding.batch(registerFiles(at.lake.d1.binding, [row], time));
    at.now += KEPT_MS + 2 * DAY_MS;
    expect(await at.tick()).toEqual({ payloads: 0 });
    at.lake.d1.rows("UPDATE bronze_files SET retired_by = 'retention'");
    expect(await at.tick()).toEqual({ payloads: 1 });
  });

  test("go whatever call fails; a tick takes so many pages, and the next goes on", async () => {
    const at = new Payloads();
    for (let i = 0; i < 11_500; i++) await at.put(DAY, String(i).padStart(5, "0"));
    at.now += KEPT_MS + 2 * DAY_MS;
    expect(await at.tick()).toEqual({ payloads: 10_000, more: "now" });
    for (let call = 0; call < 3; call++) {
      const left = at.keys().length;
      at.bucket.failures.push(...Array.from({ length: call }, () => undefined), new AnswerLostError("lost"));
      await expect(at.tick()).rejects.toThrow("lost");
      expect(at.keys().length).toBeLessThanOrEqual(left);
    }
    await at.tick();
    expect(at.keys()).toEqual([]);
  });
});

test("rows of runs go after a month, but for the last of a partition that ended so, page by page", async () => {
  const d1 = new FaultyD1();
  const now = Date.UTC(2026, 10, 21);
  const rows = Array.from({ length: 5_300 }, (_, n) => {
    const started = new Date(now - (5_300 - n) * 20 * 60_000).toISOString();
    const status = n % 100 === 7 ? "FAILED" : "DONE";
    return {
      domain: `d${n % 2}`,
      date: n < 5_000 ? "2026-10-01" : "2026-10-02",
      run: String(n).padStart(6, "0"),
      status,
      started,
    };
  });
  d1.rows(
    `INSERT INTO ended_runs (domain, partition_date, run_id, fence, status, started_at, finished_at)
     SELECT value ->> 'domain', value ->> 'date', value ->> 'run', 1, value ->> 'status', value ->> 'started', value ->> 'started' FROM json_each(?) RETURNING 1`,
    JSON.stringify(rows),
  );
  const walk = async () => {
    let cursor: string | null = null;
    for (let runs = 1; ; runs++) {
      const report = await forgetRuns(d1.binding, now, cursor);
      cursor = report.cursor ?? null;
      if (report.more === undefined) return runs;
    }
  };
  expect(await walk()).toBe(2);
  const monthAgo = new Date(now - 30 * DAY_MS).toISOString();
  const kept = new Set(d1.rows<{ run_id: string }>("SELECT run_id FROM ended_runs").map(({ run_id }) => run_id));
  for (const { run, started } of rows) if (started >= monthAgo) expect(kept.has(run)).toBe(true);
  const old = rows.filter(({ started }) => started < monthAgo);
  const newest = new Set(
    new Map(rows.map(({ domain, date, status, run }) => [`${domain} ${date} ${status}`, run])).values(),
  );
  expect(old.filter(({ run }) => kept.has(run))).toEqual(old.filter(({ run }) => newest.has(run)));
  expect(newest.size).toBe(6);
  for (const run of newest) expect(kept.has(run)).toBe(true);
  expect(await walk()).toBe(1);
});
