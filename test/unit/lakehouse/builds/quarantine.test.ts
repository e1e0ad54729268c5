/** Builds whose checks put rows into quarantine: what is published, what is kept aside, and that the ledger closes. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../contracts/contract.ts";
import type { Table } from "../../../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { readWithDuckDb } from "../../../oracle/read-parquet.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";

beforeAll(() => loadParquetWasm());

let messages = 0;
function readings(ids: readonly string[], received = NOON): Uint8Array {
  return weatherMessage({
    messageId: uuidAt(received, ++messages),
    received: received * 1_000,
    events: ids.map((eventId) => ({ eventId, at: (NOON - 60_000) * 1_000 })),
  });
}

function check(values: readonly string[], more: Partial<LibraryCheck> = {}): LibraryCheck {
  return {
    name: "known ids",
    layer: "silver",
    metric: "invalidValues",
    columns: ["event_id"],
    values,
    unit: "rows",
    bound: { op: "mustBe", value: 0 },
    onFail: "quarantine",
    ...more,
  };
}

function weatherWith(...checks: readonly LibraryCheck[]): Table {
  const table = tableOf("weather");
  return { ...table, checks: [...table.checks, ...checks] };
}

/** Two good readings of which one has a copy; a bad one, with a copy, received an hour earlier. */
const FLUSHES = [readings(["a", "b", "a"]), readings(["bad", "bad"], NOON - 3_600_000)];

async function landed(flushes = FLUSHES): Promise<Lake> {
  const lake = new Lake(NOON);
  for (const flush of flushes) await lake.land("weather", [flush]);
  await lake.plan();
  return lake;
}

const SILVER = "SELECT event_id FROM silver_weather";
const published = (lake: Lake) => lake.query(SILVER);
const liveQuarantine = (lake: Lake) =>
  lake.d1.rows<{ file: string; rows: number; bytes: number }>(
    "SELECT file, rows, bytes FROM data_files WHERE kind = 'quarantine' AND added IS NOT NULL AND removed IS NULL ORDER BY file",
  );
const results = (lake: Lake, run: string) =>
  lake.d1.rows<{ check_name: string; measured: number; passed: number; failing_rows: string; candidate: string }>(
    "SELECT check_name, measured, passed, failing_rows, candidate FROM check_history WHERE run_id = ? AND on_fail = 'quarantine'",
    run,
  );

describe("a build with rows in quarantine", () => {
  test("publishes the others, keeps those aside in a file of their own, and says which", async () => {
    const lake = await landed();
    const outcome = await lake.build(weatherWith(check(["a", "b"])), DAY);
    expect(outcome).toMatchObject({ kind: "committed", rowsIn: 5, rowsOut: 2 });
    if (outcome.kind !== "committed") throw new Error("not committed");
    expect(await published(lake)).toEqual([{ event_id: "a" }, { event_id: "b" }]);
    const [file] = liveQuarantine(lake);
    expect(file).toEqual({
      file: `quarantine/weather/event_date=${DAY}/${outcome.lease.runId}-0.parquet`,
      rows: 1,
      bytes: lake.bucket.bytesOf(file?.file ?? "").byteLength,
    });
    const rows = await readWithDuckDb(lake.bucket.bytesOf(file?.file ?? ""));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ event_id: "bad", _failed_checks: ["known ids"] });
    expect(results(lake, outcome.lease.runId)).toEqual([
      { check_name: "known ids", measured: 1, passed: 0, failing_rows: "[0]", candidate: file?.file },
    ]);
  });

  test("counts them: bronze = silver + duplicates + quarantined, by the hour of reception (P8)", async () => {
    const lake = await landed();
    await lake.build(weatherWith(check(["a", "b"])), DAY);
    await settleLedger(lake);
    expect(
      await lake.query(
        "SELECT hour::VARCHAR AS hour, accepted, duplicates, quarantined FROM pipeline_health WHERE topic = 'weather' ORDER BY hour",
      ),
    ).toEqual([
      { hour: "2026-11-21 11:00:00+00", accepted: "0", duplicates: "1", quarantined: "1" },
      { hour: "2026-11-21 12:00:00+00", accepted: "5", duplicates: "1", quarantined: "0" },
    ]);
    expect(await lake.query("SELECT count(*)::INTEGER AS silver FROM silver_weather")).toEqual([{ silver: 2 }]);
  });

  test("gives the same rows again, whichever file landed first; under another contract it gives that contract's (P5)", async () => {
    const first = await landed();
    const second = await landed(FLUSHES.toReversed());
    const strict = weatherWith(check(["a", "b"]));
    const rows: unknown[] = [];
    for (const lake of [first, second]) {
      await lake.build(strict, DAY);
      rows.push([await published(lake), await quarantinedRows(lake)]);
    }
    expect(rows[1]).toEqual(rows[0]);

    // The contract lets the row in: it is published, and nothing stands in quarantine any more.
    const again = async (table: Table) => {
      first.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
      await first.plan();
      return first.build(table, DAY);
    };
    expect(await again(weatherWith(check(["a", "b", "bad"])))).toMatchObject({ kind: "committed", rowsOut: 3 });
    expect(liveQuarantine(first)).toEqual([]);
    await settleLedger(first);
    expect(await first.query("SELECT sum(quarantined)::INTEGER AS n FROM pipeline_health")).toEqual([{ n: 0 }]);

    // And out again: the rows of the first build.
    expect(await again(strict)).toMatchObject({ kind: "committed", rowsOut: 2 });
    expect([await published(first), await quarantinedRows(first)]).toEqual(rows[0]);
  });

  test("is judged by its other checks without them, and shows them when it is held back (P6)", async () => {
    const lake = await landed();
    const count = check([], { name: "count", metric: "rowCount", columns: [], onFail: "block" });
    const held = await lake.build(
      weatherWith(check(["a", "b"]), { ...count, bound: { op: "mustBeGreaterThan", value: 2 } }),
      DAY,
    );
    expect(held).toMatchObject({ kind: "failed", failureClass: "data" });
    if (held.kind !== "failed") throw new Error("not failed");
    expect(held.message).toContain('silver check "count" measured 2, mustBeGreaterThan 2');
    expect(liveQuarantine(lake)).toEqual([]);
    const [result] = results(lake, held.lease.runId);
    expect(await readWithDuckDb(lake.bucket.bytesOf(result?.candidate ?? ""))).toMatchObject([{ event_id: "bad" }]);
  });

  test("of one key: the first stays, the later ones go", async () => {
    // One station: every reading after the first has its key again.
    const lake = await landed([readings(["first"]), readings(["c", "d"], NOON - 1_000)]);
    const once = check([], { name: "once", metric: "duplicateValues", columns: ["station_id"] });
    await lake.build(weatherWith(once), DAY);
    expect((await published(lake)).map((row) => row["event_id"])).toEqual(["first"]);
    expect((await quarantinedRows(lake)).map((row) => row["event_id"])).toEqual(["c", "d"]);
  });
});

/** The planner sent the ledger's first build message to nobody: it sends another when a minute is over. */
async function settleLedger(lake: Lake): Promise<void> {
  lake.now += 61_000;
  await lake.settle();
}

async function quarantinedRows(lake: Lake): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const { file } of liveQuarantine(lake)) {
    for (const row of await readWithDuckDb(lake.bucket.bytesOf(file))) rows.push(row);
  }
  return rows;
}

describe("a check with a tolerance, over increments", () => {
  const table = weatherWith(
    check(["a", "b", "b2"], { bound: { op: "mustBeLessOrEqualTo", value: 50 }, unit: "percent" }),
  );

  /** Lands readings, and builds until the partition is done; gives what is published and what is in quarantine. */
  async function landAndBuild(lake: Lake, ids: readonly string[]) {
    await lake.land("weather", [readings(ids)]);
    const kinds: string[] = [];
    for (let tick = 0; tick < 20; tick++) {
      for (const { domain } of await lake.plan())
        if (domain === "weather") kinds.push((await lake.build(table, DAY)).kind);
      lake.now += 700_000;
    }
    const silver = (await lake.query(SILVER)).map((row) => row["event_id"]);
    return { kinds, silver: silver.sort(), aside: liveQuarantine(lake).reduce((sum, { rows }) => sum + rows, 0) };
  }

  test("takes its rows out once it fails, lets them in once it holds, and leaves nothing behind", async () => {
    const lake = new Lake(NOON);
    expect(await landAndBuild(lake, ["a", "bad"])).toEqual({ kinds: ["committed"], silver: ["a", "bad"], aside: 0 });
    const failing = await landAndBuild(lake, ["bad2"]);
    expect(failing).toEqual({ kinds: ["stepped", "committed"], silver: ["a"], aside: 2 });
    // It fails as before: an increment is enough.
    expect(await landAndBuild(lake, ["bad3"])).toEqual({ kinds: ["committed"], silver: ["a"], aside: 3 });
    const holding = await landAndBuild(lake, ["b", "b2"]);
    expect(holding).toMatchObject({ kinds: ["stepped", "committed"], aside: 0 });
    expect(holding.silver).toHaveLength(6);

    // Whatever was staged on the way is live or has its tombstone.
    const known = new Set(
      lake.d1
        .rows<{ name: string }>("SELECT file AS name FROM data_files UNION SELECT object FROM tombstones")
        .map(({ name }) => name),
    );
    const [progress] = lake.d1.rows<{ progress: string }>("SELECT progress FROM silver_progress");
    const staged = [...lake.bucket.objects.keys()].filter((key) =>
      /^(silver|quarantine)\/.*\.(parquet|keys)$/.test(key),
    );
    expect(staged.filter((key) => !known.has(key) && !progress?.progress.includes(key))).toEqual([]);
  });
});
