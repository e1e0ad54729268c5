/** The pointer and the views of bronze: each row once, whatever compaction and folding leave, in every connection of DuckDB. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { bronzeFilesPage } from "../../../../lakehouse/tables/bronze/files-page.ts";
import { foldBronze } from "../../../../lakehouse/tables/bronze/fold.ts";
import { publishAllBronze, publishBronze, publishBronzePointer } from "../../../../lakehouse/tables/bronze/pointer.ts";
import { datesOfViews } from "../../../../lakehouse/tables/bronze/views.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { compactAll } from "../../../oracle/compaction.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake } from "../../../oracle/lake.ts";
import { weather, weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

beforeAll(() => loadParquetWasm());

let lake: Lake;
let folder: string;
let landed: number;
beforeEach(() => {
  lake = new Lake(NOON);
  folder = mkdtempSync(join(tmpdir(), "sluice-bronze-"));
  landed = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A flush with an event of each of these dates. */
async function land(...daysAgo: readonly number[]): Promise<void> {
  const events = daysAgo.map((ago) => ({ eventId: `e-${landed++}`, at: (lake.now - ago * DAY_MS) * 1_000 }));
  await lake.land("weather", [
    weatherMessage({ messageId: uuidAt(lake.now, landed), received: lake.now * 1_000, events }),
  ]);
  lake.now += 60_000;
}

const publish = () => publishBronze(lake.d1.binding, lake.bucket, weather);

function writeLake(): void {
  for (const [key, { bytes }] of lake.bucket.objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<unknown[]> {
  return (await connection.runAndReadAll(sql)).getRowsJson().map(([value]) => value);
}

/** Where a reader of the pointer finds rows: each file once. */
async function pointed(): Promise<string[]> {
  const pointer = lake.json("bronze/weather/current.json") as {
    manifests: { manifest: string }[];
    files: { file: string }[];
  };
  const folded = pointer.manifests.flatMap(
    ({ manifest }) => (lake.json(manifest) as { files: { file: string; retired?: boolean }[] }).files,
  );
  const live = [...folded.filter(({ retired }) => retired !== true), ...pointer.files].map(({ file }) => file);
  return [...new Set(live)].sort();
}

async function listed(): Promise<string[]> {
  const files = new Set<string>();
  for (let after: string | null = ""; after !== null; ) {
    const page: Awaited<ReturnType<typeof bronzeFilesPage>> = await bronzeFilesPage(
      lake.d1.binding,
      lake.bucket,
      "weather",
      undefined,
      after,
    );
    for (const { file } of page.files) files.add(file);
    after = page.next;
  }
  return [...files].sort();
}

test("each event once through compaction, shared files, folding and late events, where a glob counts some twice", async () => {
  for (let flush = 0; flush < 3; flush++) await land(0, 1, 5, 6);
  lake.now += 2 * 3_600_000;
  expect((await compactAll(lake)).map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
  await land(0, 1);
  await publish();
  const events = Array.from({ length: 14 }, (_, n) => `e-${n}`).sort();
  const instance = await DuckDBInstance.create(":memory:");
  const [one, two] = [await instance.connect(), await instance.connect()];
  const seen = async (connection: DuckDBConnection, where = "") =>
    await rowsOf(connection, `SELECT event_id FROM bronze_weather('${folder}') ${where} ORDER BY 1`);
  const run = async () => {
    writeLake();
    await one.run(new TextDecoder().decode(lake.bucket.bytesOf("bronze/weather/views.sql")));
  };
  await run();
  // A macro stands in the database: whoever else is connected to it has it, too.
  expect([(await seen(one)).sort(), (await seen(two)).sort()]).toEqual([events, events]);
  await one.run(`CREATE VIEW bronze_weather_view AS FROM bronze_weather('${folder}')`);
  expect(await rowsOf(two, "SELECT count(*)::INTEGER FROM bronze_weather_view")).toEqual([14]);
  const glob = `read_parquet('${folder}/bronze*/weather/**/*.parquet', union_by_name = true, hive_partitioning = false)`;
  expect(await rowsOf(two, `SELECT count(*)::INTEGER FROM ${glob}`)).toEqual([26]);
  expect(await pointed()).toEqual(await listed());

  await lake.settle();
  lake.now += 6 * DAY_MS;
  expect(await foldBronze(lake.d1.binding, lake.bucket, ["weather"], lake.now)).toEqual({ dates: 4 });
  await publish();
  await run();
  expect((await seen(two)).sort()).toEqual(events);
  expect(await pointed()).toEqual(await listed());
  const sql = new TextDecoder().decode(lake.bucket.bytesOf("bronze/weather/views.sql"));
  expect(datesOfViews(sql).map(({ date, files }) => [date, files.length])).toEqual([
    ["2026-11-15", 1],
    ["2026-11-16", 1],
    ["2026-11-20", 2],
    ["2026-11-21", 2],
  ]);

  // A late event of a folded date, and one of today: the views take the folded files from those before, and read no manifest.
  await land(6, 0);
  lake.bucket.failures.splice(0);
  const manifests = [...lake.bucket.objects.keys()].filter((key) => key.includes("/metadata/"));
  const kept = manifests.map((key) => [key, lake.bucket.bytesOf(key)] as const);
  for (const key of manifests) lake.bucket.objects.delete(key);
  await publish();
  for (const [key, bytes] of kept) await lake.bucket.put(key, bytes);
  await run();
  expect(await seen(two)).toHaveLength(16);
  expect(await seen(two, "WHERE event_date = '2026-11-21'")).toHaveLength(5);
  expect(await pointed()).toEqual(await listed());
  one.closeSync();
  two.closeSync();
  instance.closeSync();
});

test("only data files stand in a partition's folder, and the date of the path is that of every row", async () => {
  await land(0, 1);
  await land(0, 1, 8, 9);
  await lake.settle();
  await publish();
  const inFolders = [...lake.bucket.objects.keys()].filter((key) => /\/[a-z_]+=[^/]*\//.test(key));
  expect(inFolders.filter((key) => !key.endsWith(".parquet"))).toEqual([]);
  expect([...lake.bucket.objects.keys()]).toEqual(
    expect.arrayContaining(["bronze/weather/current.json", "bronze/weather/views.sql", "silver/weather/current.json"]),
  );
  writeLake();
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const layer of ["bronze/weather", "silver/weather", "gold/*", "silver/ledger"]) {
    const files = await rowsOf(connection, `SELECT file FROM glob('${folder}/${layer}/*/*.parquet')`);
    for (const file of files) {
      const [, column = "", date] = /\/([a-z_]+)=(\d{4}-\d\d-\d\d)\/[^/]*$/.exec(String(file)) ?? [];
      const own = `SELECT DISTINCT ${column} = DATE '${date}' FROM read_parquet('${String(file)}', hive_partitioning = false)`;
      expect(await rowsOf(connection, own)).toEqual([true]);
      const types = `DESCRIBE SELECT ${column} FROM read_parquet('${String(file)}', hive_partitioning = false)`;
      const [[, type] = []] = (await connection.runAndReadAll(types)).getRowsJson();
      expect(type).toBe("DATE");
    }
  }
  connection.closeSync();
  instance.closeSync();
});

test("what says the same is not written again, and what was read earlier goes over nothing later", async () => {
  await land(0);
  const written = () => lake.bucket.objects.get("bronze/weather/current.json")?.customMetadata["as_of"];
  await publishBronzePointer(lake.d1.binding, lake.bucket, weather);
  const first = written();
  lake.now += 60_000;
  expect(await publishAllBronze(lake.d1.binding, lake.bucket, [weather])).toEqual({ topics: 1 });
  expect(written()).toBe(first);

  // One that read D1 before another flush, and puts after it.
  let late: (() => Promise<void>) | undefined;
  const slow = {
    get: (key: string) => lake.bucket.get(key),
    put: (...args: Parameters<typeof lake.bucket.put>) => lake.bucket.put(...args),
    head: async (key: string) => {
      await late?.();
      return lake.bucket.head(key);
    },
  };
  late = async () => {
    late = undefined;
    lake.now += 60_000;
    await land(0);
    await publishBronzePointer(lake.d1.binding, lake.bucket, weather);
  };
  await land(0);
  await publishBronzePointer(lake.d1.binding, slow, weather);
  expect(await pointed()).toHaveLength(3);
  expect(await pointed()).toEqual(await listed());
});
