import { afterAll, beforeAll, expect, test } from "vitest";
import { COMPACTION_POLICY } from "../../lakehouse/upkeep/compaction/plan.ts";
import { retire } from "../../lakehouse/upkeep/retention/retire.ts";
import { MemoryBucket } from "../oracle/memory-bucket.ts";
import { requireContract } from "../oracle/weather.ts";
import { weather } from "./events.ts";
import { allBuilt, bronzeRows, startTestPlatform, type TestPlatform } from "./harness.ts";

const DAY_MS = 86_400_000;
/** Compaction has its turn when the minute is a multiple of ten; that of tables once an hour. */
const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;

/** Of a date that has closed. */
const reading = (id: string) =>
  weather(id, { event_timestamp: new Date(Date.now() - 3 * DAY_MS).toISOString().slice(0, 10).concat("T12:00:00Z") });

let at: TestPlatform;
beforeAll(async () => {
  at = await startTestPlatform();
});
afterAll(() => at.close());

const BRONZE = "SELECT * FROM bronze_weather ORDER BY _received, _message, _event";
const SILVER = "SELECT * FROM silver_weather ORDER BY _received, _message, _event";

async function liveFiles(): Promise<string[]> {
  const { results } = await at.platform.db
    .prepare("SELECT file FROM bronze_files WHERE topic = 'weather' AND retired_by IS NULL ORDER BY file")
    .all<{ file: string }>();
  return results.map(({ file }) => file);
}

/** Beside them stand the pointer, the views and manifests. */
async function dataObjects(): Promise<string[]> {
  const { objects } = await at.platform.lake.list({ prefix: "bronze/weather/" });
  return objects.map(({ key }) => key).filter((key) => key.endsWith(".parquet"));
}

async function silverFilesOfViews(): Promise<number | undefined> {
  const views = await (await at.platform.lake.get("silver/weather/views.sql"))?.text();
  return views?.match(/\.parquet'/g)?.length;
}

async function silverFiles(): Promise<number> {
  const row = await at.platform.db
    .prepare(
      "SELECT count(*) AS n FROM data_files WHERE table_name = 'silver_weather' AND added IS NOT NULL AND removed IS NULL",
    )
    .first<{ n: number }>();
  return row?.n ?? 0;
}

/** A tick of the cron at another time than now, in milliseconds since the epoch. */
async function tickOf(time: number): Promise<void> {
  await at.platform.runCron("* * * * *", new Date(time));
}

async function inputs(): Promise<unknown> {
  const { results } = await at.platform.db
    .prepare("SELECT version, built_version FROM partition_inputs WHERE domain = 'weather'")
    .all();
  return results;
}

test("small files of a closed hour and of a closed date become one, their objects go, and a rebuild gives the same rows", async () => {
  const { db, lake } = at.platform;
  for (let n = 1; n <= COMPACTION_POLICY.minFiles; n++) {
    expect((await at.post("weather", JSON.stringify([reading(`w-${n}`), reading(`w-${n - 1}`)]))).status).toBe(202);
    await at.until(`flush ${n}`, async () => (await bronzeRows(at.platform, "weather")) === n * 2);
    // Five increments of silver are more than a few.
    if (n <= 5) await at.until(`build ${n}`, async () => (await silverFiles()) === n);
  }
  await at.until("everything built", () => allBuilt(at.platform));
  const [bronze, silver, before] = [await at.rows(BRONZE), await at.rows(SILVER), await inputs()];
  const small = await liveFiles();
  expect(small).toHaveLength(COMPACTION_POLICY.minFiles);

  await tickOf(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
  await at.until("silver compacted", async () => (await silverFiles()) === 1);
  expect(await at.rows(SILVER)).toEqual(silver);
  expect(await inputs()).toEqual(before);
  const { runs } = (await at.get("/v1/runs?table=weather&limit=1")).json ?? {};
  expect(runs).toMatchObject([{ kind: "compaction", status: "DONE", rows_out: silver.length }]);
  await at.until("a pointer to one file", async () => (await silverFilesOfViews()) === 1);

  // As if two hours had passed: only the catalog knows when files were registered.
  const earlier = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await db
    .prepare("UPDATE bronze_files SET registered_at = ?")
    .bind(`${earlier.slice(0, 13)}:30:00.000Z`)
    .run();
  await tickOf(Math.floor(Date.now() / TEN_MINUTES_MS) * TEN_MINUTES_MS);
  await at.until("compacted", async () => (await liveFiles()).length === 1);
  expect(await at.rows(BRONZE)).toEqual(bronze);
  expect(await inputs()).toEqual(before);

  expect(await lake.head(small[0] ?? "")).not.toBeNull();
  await db.prepare("UPDATE tombstones SET delete_after = '2026-01-01T00:00:00.000Z'").run();
  await at.until("objects deleted", async () => (await dataObjects()).length === 1);

  await db.prepare("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'").run();
  await at.until("built again", () => allBuilt(at.platform));
  expect(await at.rows(SILVER)).toEqual(silver);
  expect(silver).toHaveLength(COMPACTION_POLICY.minFiles + 1);
  expect(at.errors).toEqual([]);
});

test("a retention lets the date's bronze go: silver stays, a backfill is refused, late events are quarantined", async () => {
  const { db, lake } = at.platform;
  const silver = await at.rows(SILVER);
  // The shipped contracts keep bronze: ten days later it has left D1 for its manifest, and stands where it stood.
  const later = Math.ceil(Date.now() / DAY_MS + 10) * DAY_MS;
  const kept = await liveFiles();
  await tickOf(later);
  expect(await liveFiles()).toEqual([]);
  const files = async () =>
    (await at.get("/v1/tables/bronze_weather/files")).json?.files.map((each: { file: string }) => each.file);
  expect(await files()).toEqual(kept);
  expect(await at.rows(SILVER)).toEqual(silver);
  const bucket = new MemoryBucket();
  const { results } = await db.prepare("SELECT manifest FROM bronze_manifests WHERE topic = 'weather'").all();
  const [manifest = ""] = results.map((row) => String(row["manifest"]));
  await bucket.put(manifest, (await (await lake.get(manifest))?.text()) ?? "");
  const contract = { ...requireContract("weather"), sla: { retentionMs: 7 * DAY_MS } };
  await retire({ db, bucket, contracts: [contract] }, later);
  for (const [key, { bytes }] of bucket.objects) await lake.put(key, bytes);
  expect(await files()).toEqual([]);
  await db.prepare("UPDATE tombstones SET delete_after = '2026-01-01T00:00:00.000Z'").run();
  await at.until("bronze deleted", async () => (await dataObjects()).length === 0);
  expect(await at.rows(SILVER)).toEqual(silver);

  const headers = { authorization: `Bearer ${at.platform.apiKey}`, "content-type": "application/json" };
  const range = { table: "weather", from: "2020-01-01", to: "2100-01-01", reprocess: "completed" };
  const backfill = await fetch(`${at.platform.url}/v1/backfills`, {
    method: "POST",
    headers,
    body: JSON.stringify(range),
  });
  expect(await backfill.json()).toMatchObject({ partitions: [], refused: [{ code: "BRONZE_RETIRED" }] });

  expect((await at.post("weather", JSON.stringify([reading("late")]))).status).toBe(202);
  const quarantined = async () => (await at.get("/v1/tables/silver_weather/quarantine")).json?.files ?? [];
  await at.until("quarantined", async () => (await quarantined()).length === 1);
  await at.until("everything built", () => allBuilt(at.platform));
  expect(await at.rows("SELECT event_id, _failed_checks FROM quarantine_weather")).toEqual([
    { event_id: "late", _failed_checks: ["retention"] },
  ]);
  expect(await at.rows(SILVER)).toEqual(silver);
  expect(at.errors).toEqual([]);
});

test("what a lost build staged goes, and old lists of resends; published files stay, and payloads of dead letters", async () => {
  const { db, lake } = at.platform;
  const silver = await at.rows(SILVER);
  const day = new Date().toISOString().slice(0, 10);
  const staged = `silver/weather/event_date=${day}/lost-run-0.parquet`;
  const payload = `dead_letters/payloads/${day}/some-dead-letter`;
  await lake.put(staged, "never committed");
  await lake.put(payload, "a large event that was refused");
  const resends = "parked_resends/019aa000-0000-7000-8000-000000000001";
  await lake.put(resends, "019aa000-0000-7000-8000-000000000002");
  const now = new Date().toISOString();
  await db
    .prepare(
      "INSERT INTO ended_runs (run_id, domain, partition_date, fence, status, started_at, finished_at) VALUES ('lost-run', 'weather', ?1, 1, 'LOST', ?2, ?2)",
    )
    .bind(day, now)
    .run();
  await tickOf(Math.ceil(Date.now() / DAY_MS + 40) * DAY_MS);
  expect(await lake.head(payload)).not.toBeNull();
  expect(await lake.head(resends)).toBeNull();
  expect(await lake.head(staged)).not.toBeNull();
  await db.prepare("UPDATE tombstones SET delete_after = '2026-01-01T00:00:00.000Z'").run();
  await at.until("the lost build's file deleted", async () => (await lake.head(staged)) === null);
  expect(await at.rows(SILVER)).toEqual(silver);
  expect(at.errors).toEqual([]);
});
