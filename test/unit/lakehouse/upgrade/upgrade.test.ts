/**
 * A whole lake of the version before rows had positions, objects and catalog, as that version's own code left it, taken over by today's:
 *
 * - 2026-11-21 is sealed: its bronze is gone, and an event came late that no build has seen;
 * - 2026-11-28 has a row in quarantine;
 * - 2026-11-30 is compacted in part, built since, and has a flush that no build has seen;
 * - of one more flush, with rows of three dates, one object of two is put, and nothing is registered.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { readMigrations } from "../../../../tools/local-platform/migrations.ts";
import { compactAll, sweep } from "../../../oracle/compaction.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const sqlValue = z.union([z.string(), z.number(), z.null()]);
const saved = z
  .object({
    now: z.number(),
    half: z.base64(),
    dump: z.array(z.object({ table: z.string(), row: z.record(z.string(), sqlValue) })),
    objects: z.record(z.string(), z.object({ bytes: z.base64(), customMetadata: z.record(z.string(), z.string()) })),
    rows: z.array(z.record(z.string(), z.unknown())),
  })
  .parse(
    JSON.parse(gunzipSync(readFileSync(resolve(import.meta.dirname, "lake-before-positions.json.gz"))).toString()),
  );
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

const HOUR = 3_600_000;
const ROWS = "SELECT event_date, event_id, _message, _event FROM silver_weather ORDER BY ALL";

/** The catalog at the last version's schema, filled, and then migrated. */
function upgraded(): DatabaseSync {
  const sqlite = new DatabaseSync(":memory:");
  const migrations = readMigrations(resolve(import.meta.dirname, "../../../../sql/migrations"));
  const next = migrations.findIndex(({ name }) => name.startsWith("0014"));
  for (const { sql } of migrations.slice(0, next)) sqlite.exec(sql);
  // The triggers of inserts have done their work in the rows that are restored.
  const triggers = sqlite.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) sqlite.exec(`DROP TRIGGER "${String(name)}"`);
  for (const { table, row } of saved.dump) {
    const names = Object.keys(row);
    sqlite
      .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
      .run(...Object.values(row));
  }
  for (const { sql } of triggers) sqlite.exec(String(sql));
  for (const { sql } of migrations.slice(next)) sqlite.exec(sql);
  return sqlite;
}

let lake: Lake;

beforeEach(async () => {
  await loadParquetWasm();
  lake = new Lake(saved.now, upgraded());
  lake.seq = 10;
  lake.runs = 1_000;
  for (const [key, { bytes, customMetadata }] of Object.entries(saved.objects))
    await lake.bucket.put(key, bytesOf(bytes), { customMetadata });
});

let messages = 0;
const land = (day: string, ...ids: string[]) =>
  lake.land("weather", [
    weatherMessage({
      messageId: uuidAt(lake.now, 0xf000 + ++messages),
      received: lake.now * 1_000,
      events: ids.map((eventId) => ({ eventId, at: Date.parse(`${day}T10:00:00Z`) * 1_000 })),
    }),
  ]);

const eventsOf = async (day: string) =>
  (await lake.query(`SELECT event_id FROM silver_weather WHERE event_date = '${day}' ORDER BY 1`)).map(
    (row) => row["event_id"],
  );

const weatherIn = (built: readonly string[]) => built.filter((each) => each.startsWith("weather "));
const versions = () =>
  lake.d1.rows("SELECT partition_date, count(*) AS n FROM versions WHERE table_name = 'silver_weather' GROUP BY 1");

test("what was published is adopted, not built again; what no build had seen is built, and nothing else of silver", async () => {
  const before = versions();
  const built = await lake.settle();
  expect(weatherIn(built)).toEqual(["weather 2026-11-30 committed", "weather 2026-11-21 committed"]);
  expect(before).toEqual([
    { partition_date: "2026-11-21", n: 1 },
    { partition_date: "2026-11-28", n: 1 },
    { partition_date: "2026-11-30", n: 1 },
  ]);
  const rows = await lake.query(ROWS);
  for (const old of saved.rows) expect(rows).toContainEqual(old);
  expect(rows).toHaveLength(saved.rows.length + 1);
  expect(await eventsOf("2026-11-30")).toEqual(["c-a", "c-b", "c-c", "c-d", "c-e", "c-f", "c-g"]);
});

test("a flush of which one object stands goes on, and its rows are there once", async () => {
  await lake.settle();
  await lake.land("weather", [bytesOf(saved.half)]);
  expect(weatherIn(await lake.settle()).toSorted()).toEqual([
    "weather 2026-11-28 committed",
    "weather 2026-11-29 committed",
    "weather 2026-11-30 committed",
  ]);
  expect(await eventsOf("2026-11-29")).toEqual(["h-b"]);
  expect(await eventsOf("2026-11-30")).toEqual(["c-a", "c-b", "c-c", "c-d", "c-e", "c-f", "c-g", "h-a"]);
});

test("events that come to each date: the sealed one keeps its rows, the others take them, copies stay out", async () => {
  await land("2026-11-21", "s-a", "s-z");
  await land("2026-11-28", "q-a", "q-z");
  await land("2026-11-30", "c-a", "c-z", "c-f");
  await lake.settle();
  expect(await eventsOf("2026-11-21")).toEqual(["s-a", "s-b", "s-c"]);
  expect(await eventsOf("2026-11-28")).toEqual(expect.arrayContaining(["q-a", "q-b", "q-z"]));
  expect(await eventsOf("2026-11-30")).toEqual(["c-a", "c-b", "c-c", "c-d", "c-e", "c-f", "c-g", "c-z"]);
});

test("a build from nothing, and another compaction, give the same rows", async () => {
  await lake.settle();
  const rows = await lake.query(ROWS);
  lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE partition_date = '2026-11-30' RETURNING 1");
  expect(weatherIn(await lake.settle())).toEqual(["weather 2026-11-30 committed"]);
  expect(await lake.query(ROWS)).toEqual(rows);

  lake.now += 3 * HOUR;
  expect((await compactAll(lake)).map(({ kind }) => kind)).toEqual(["done"]);
  lake.now += 25 * HOUR;
  await sweep(lake);
  await land("2026-11-30", "c-y", "c-g");
  await lake.settle();
  lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE partition_date = '2026-11-30' RETURNING 1");
  await lake.settle();
  expect(await eventsOf("2026-11-30")).toEqual(["c-a", "c-b", "c-c", "c-d", "c-e", "c-f", "c-g", "c-y"]);
  expect(lake.d1.rows("SELECT domain FROM partition_meta WHERE status <> 'DONE'")).toEqual([]);
});
