/** A date whose bronze left D1 is built, searched, peeked at and looked up as before, and a late event adds to it. */
import { beforeAll, beforeEach, expect, test } from "vitest";
import { newestEvents } from "../../../../lakehouse/lookups/newest-events.ts";
import { copyColumns } from "../../../../lakehouse/lookups/trace/event-copy.ts";
import { tracePublished } from "../../../../lakehouse/lookups/trace/published.ts";
import { searchBronze } from "../../../../lakehouse/lookups/trace/search-bronze.ts";
import { timesToSearch } from "../../../../lakehouse/lookups/trace/where-to-look.ts";
import { foldBronze } from "../../../../lakehouse/tables/bronze/fold.ts";
import { foldedBehind } from "../../../../lakehouse/tables/bronze/folded-behind.ts";
import { lookUpWhenSettled } from "../../../../lakehouse/upkeep/parked/look-up.ts";
import { decodeMessage } from "../../../../schemas/packed-block.ts";
import { bronzeSince } from "../../../../sql/statements/lag.ts";
import { bronzeOfPartition } from "../../../../sql/statements/partition-sight.ts";
import { TOPIC_PROGRESS, topicProgress } from "../../../../sql/statements/progress.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { compactAll, sweep } from "../../../oracle/compaction.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { permit } from "../../../oracle/permit.ts";
import { weather, weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SILVER = "SELECT event_id, _message, record_hash FROM silver_weather ORDER BY ALL";

beforeAll(() => loadParquetWasm());

let lake: Lake;
let sent: Uint8Array[];

function reading(...ids: readonly string[]): Uint8Array {
  const events = ids.map((eventId) => ({ eventId, at: NOON * 1_000 }));
  const message = weatherMessage({ messageId: uuidAt(lake.now, sent.length), received: lake.now * 1_000, events });
  sent.push(message);
  return message;
}

const fold = () => foldBronze(lake.d1.binding, lake.bucket, ["weather"], lake.now);
const inD1 = () => {
  const count = (table: string) => lake.d1.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n;
  return ["bronze_files", "bronze_file_dates", "compactions", "bronze_manifests"].map(count);
};

/** Four flushes, three of which were compacted; built, and nothing for days. */
beforeEach(async () => {
  lake = new Lake(NOON);
  sent = [];
  for (const ids of [["a", "b"], ["a", "c"], ["d"]]) {
    await lake.land("weather", [reading(...ids)]);
    lake.now += 60_000;
  }
  lake.now += 2 * HOUR_MS;
  expect(await compactAll(lake)).toMatchObject([{ kind: "done", files: 3 }]);
  await lake.land("weather", [reading("e", "b")]);
  await lake.settle();
  lake.now += 6 * DAY_MS;
  await sweep(lake);
});

test("leaves D1 once, and is built from nothing as before", async () => {
  const [silver, digest] = [await lake.query(SILVER), lake.d1.rows("SELECT digest FROM versions ORDER BY version")];
  const facts = async () => [
    await bronzeOfPartition(lake.d1.binding, "weather", DAY),
    TOPIC_PROGRESS.in(await topicProgress(lake.d1.binding, [{ topic: "weather", table: "silver_weather" }]).all()),
    await bronzeSince(lake.d1.binding, "weather", "2026-11-21T00:00:00"),
  ];
  const before = await facts();
  expect(await fold()).toEqual({ dates: 1 });
  expect(inD1()).toEqual([0, 0, 0, 1]);
  expect(await fold()).toEqual({ dates: 0 });
  const rounded = (text: string) => text.replaceAll(/"newest_received":"[^"]*"/g, '"newest_received":""');
  expect(rounded(JSON.stringify(await facts()))).toEqual(rounded(JSON.stringify(before)));
  expect(JSON.stringify(await facts())).toContain('"newest_received":"2026-11-21T14:');

  lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
  await lake.settle();
  expect(await lake.query(SILVER)).toEqual(silver);
  const digests = lake.d1.rows(
    "SELECT digest FROM versions WHERE table_name = 'silver_weather' ORDER BY version DESC LIMIT 1",
  );
  expect(digest).toContainEqual(digests[0]);
});

test("sums an hour's rows of files that a version before registered, and tells nobody of it", async () => {
  const hour = `${DAY}T12:00:00Z`;
  const inputs = () => lake.d1.rows("SELECT domain, version FROM partition_inputs ORDER BY domain");
  for (const [n, file] of ["x", "y", "z"].entries())
    lake.d1.rows(
      `INSERT INTO bronze_file_hours VALUES ('weather', '${DAY}', '${hour}', '${file}', ${n + 1}, '${DAY}T12:0${n}:00.000Z')`,
    );
  lake.d1.rows("UPDATE partition_inputs SET built_version = version");
  const before = inputs();
  expect(await fold()).toEqual({ dates: 1 });
  expect(lake.d1.rows("SELECT file, rows, registered_at FROM bronze_file_hours WHERE file <> ''")).toEqual([
    { file: "x", rows: 6, registered_at: `${DAY}T12:02:00.000Z` },
  ]);
  expect(lake.d1.rows(`SELECT rows FROM bronze_file_hours WHERE hour = '${hour}' AND file = ''`)).toEqual([
    { rows: 5 },
  ]);
  expect(inputs()).toEqual(before);
});

test("takes a late event beside its manifest, in steps of any size, and is folded again", async () => {
  await fold();
  await lake.land("weather", [reading("a", "late")]);
  expect((await lake.settle()).filter((each) => each.startsWith("weather"))).toEqual([`weather ${DAY} committed`]);
  const ids = async () => (await lake.query(SILVER)).map((row) => row["event_id"]);
  expect(await ids()).toEqual(["a", "b", "c", "d", "e", "late"]);
  expect(inD1()).toEqual([1, 1, 0, 1]);
  lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
  await lake.plan();
  // Rows of the manifest, then those of D1.
  const kinds: string[] = [];
  for (let kind = ""; kind !== "committed" && kinds.length < 9; kinds.push(kind)) {
    ({ kind } = await lake.build(tableOf("weather"), DAY, 2));
    await lake.plan();
  }
  expect(kinds).toEqual(["stepped", "stepped", "stepped", "stepped", "committed"]);
  expect(await ids()).toEqual(["a", "b", "c", "d", "e", "late"]);
  lake.now += 6 * DAY_MS;
  await lake.settle();
  expect(await fold()).toEqual({ dates: 1 });
  expect(inD1()).toEqual([0, 0, 0, 1]);
  expect(lake.d1.rows("SELECT inputs, rows, live_files, live_rows FROM bronze_manifests")).toEqual([
    { inputs: 5, rows: 9, live_files: 3, live_rows: 9 },
  ]);
  expect(
    lake.d1.rows("SELECT object FROM tombstones WHERE object LIKE '%/metadata/%-%.json' AND reason = 'superseded'"),
  ).not.toEqual([]);
});

test("is found by a trace, with and without its date, page by page, and told apart", async () => {
  const search = async (id: string, dates: readonly string[] | null, most: number) => {
    const where = { topic: "weather", dates, shards: null, ...timesToSearch(uuidAt(NOON, 1), lake.now) };
    const rows = { column: "event_id", text: id, wanted: copyColumns(weather) };
    const deps = { db: lake.d1.binding, bucket: lake.bucket, permit: async () => permit };
    const found: string[] = [];
    for (let next: { source: number; after: string } | null = { source: 0, after: "" }; next !== null; ) {
      const cost = { files: 0, files_pruned: 0, row_groups: 0 };
      const result: Awaited<ReturnType<typeof searchBronze>> = await searchBronze(
        deps,
        [{ where, rows }],
        next,
        most,
        cost,
      );
      found.push(...result.found.map(({ row }) => `${row.file} ${row.row}`));
      next = result.next;
    }
    return found.sort();
  };
  const whole = [await search("a", null, 100), await search("b", [DAY], 100)];
  expect(whole.map((each) => each.length)).toEqual([2, 2]);
  await fold();
  for (const most of [1, 100]) expect([await search("a", null, most), await search("b", [DAY], most)]).toEqual(whole);
  expect(await search("a", ["2026-11-20"], 100)).toEqual([]);

  const copies = whole[1]?.map((text) => text.split(" ")[0] ?? "") ?? [];
  const deps = { db: lake.d1.binding, bucket: lake.bucket, permit: async () => permit };
  const copy = { message_id: uuidAt(NOON, 0), event_index: 1, received: new Date(NOON).toISOString() };
  const traced = await tracePublished(
    deps,
    weather,
    DAY,
    { column: "event_id", text: "b" },
    copies.map((file) => ({ ...copy, bronze: { file } }) as never),
    { files: 0, files_pruned: 0, row_groups: 0 },
    [],
  );
  expect(traced.states).not.toContain("waiting");
});

test("is peeked at, looked up for parked messages, and read by pages of dead letters that a rollback uncovers", async () => {
  const peek = () =>
    newestEvents({ db: lake.d1.binding, bucket: lake.bucket, permit }, weather, { limit: 9, from: NOON * 1_000 });
  const newest = await peek();
  const lookUp = (message: Uint8Array) => {
    const { header } = decodeMessage(message);
    const deps = { db: lake.d1.binding, bucket: lake.bucket, hasUnflushed: async () => false, permit: () => permit };
    return lookUpWhenSettled(
      { ...header, slices: header.slices.map((slice) => ({ ...slice, of: 1, shard: 0 })) },
      [header.message_id],
      deps,
    );
  };
  const [first = new Uint8Array()] = sent;
  const never = weatherMessage({
    messageId: uuidAt(NOON, 99),
    received: NOON * 1_000,
    events: [{ eventId: "x", at: NOON * 1_000 }],
  });
  // The objects of the compacted inputs are gone: what they held stands in the compacted file, so nothing is in doubt.
  const told = [await lookUp(first), await lookUp(never)];
  expect(told).toEqual([
    { kind: "known", stored: [true] },
    { kind: "known", stored: [false] },
  ]);
  await fold();
  expect(await peek()).toEqual(newest);
  expect([await lookUp(first), await lookUp(never)]).toEqual(told);

  const behind = async (seen: number) =>
    (await foldedBehind(lake.d1.binding, lake.bucket, "weather", DAY, seen)).map(({ rows }) => rows);
  expect([await behind(4), await behind(3), await behind(0)]).toEqual([[], [2], [5, 2]]);
});
