import { beforeAll, describe, expect, test } from "vitest";
import type { Contract } from "../../../../contracts/contract.ts";
import { contracts } from "../../../../contracts/registry.ts";
import { expiriesOf, retire } from "../../../../lakehouse/upkeep/retention/retire.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { sweep } from "../../../oracle/compaction.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { requireContract, weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;
const KEPT_MS = 7 * DAY_MS;
const KEEPING: readonly Contract[] = [{ ...requireContract("weather"), sla: { retentionMs: KEPT_MS } }];

beforeAll(() => loadParquetWasm());

let messages = 0;
function readings(lake: Lake, ids: readonly string[], at = lake.now): Uint8Array {
  return weatherMessage({
    messageId: uuidAt(lake.now, ++messages),
    received: lake.now * 1_000,
    events: ids.map((eventId) => ({ eventId, at: (at - 60_000) * 1_000 })),
  });
}

const SILVER = "SELECT * FROM silver_weather ORDER BY ALL";
const retired = (lake: Lake, keeping = KEEPING) =>
  retire({ db: lake.d1.binding, bucket: lake.bucket, contracts: keeping }, lake.now);

function bronze(lake: Lake): { file: string; retired_by: string | null }[] {
  return lake.d1.rows("SELECT file, retired_by FROM bronze_files ORDER BY file");
}

function weather(lake: Lake) {
  return lake.d1.rows<{ status: string; error_message: string | null; file_hash: string; silver_records: number }>(
    "SELECT status, error_message, file_hash, silver_records FROM partition_meta WHERE domain = 'weather' AND partition_date = ?",
    DAY,
  )[0];
}

/** P8 of one partition: every bronze row ever registered went somewhere. */
async function closes(lake: Lake): Promise<void> {
  const sum = (sql: string) =>
    lake.d1.rows<{ n: number }>(`SELECT coalesce(sum(${sql} AND partition_date = '${DAY}'`)[0]?.n;
  const silver = await lake.query(`SELECT count(*)::INTEGER AS n FROM silver_weather WHERE event_date = '${DAY}'`);
  const terms = ["ledger_duplicates WHERE", "ledger_outcomes WHERE term <> 'silver' AND"];
  const removed = terms.map((term) => sum(`events), 0) AS n FROM ${term} topic = 'weather'`) ?? 0);
  expect(sum("rows), 0) AS n FROM bronze_file_dates WHERE topic = 'weather'")).toBe(
    removed.reduce((total, n) => total + n, Number(silver[0]?.["n"])),
  );
}

/** A date that is built, and that retention has let go of; its objects are deleted. */
async function sealedLake(): Promise<Lake> {
  const lake = new Lake(NOON);
  await lake.land("weather", [readings(lake, ["a", "b", "a"])]);
  await lake.land("weather", [readings(lake, ["c"])]);
  await lake.settle();
  lake.now += KEPT_MS + 2 * DAY_MS;
  await lake.settle();
  expect((await retired(lake)).files).toBe(2);
  lake.now += DAY_MS + HOUR;
  await sweep(lake);
  return lake;
}

describe("bronze past its retention", () => {
  test("goes a day after its last date is past, and the published version stays", async () => {
    const lake = new Lake(NOON);
    await lake.land("weather", [readings(lake, ["a", "b", "a"])]);
    await lake.settle();
    const [silver, before] = [await lake.query(SILVER), weather(lake)];
    const [file = ""] = bronze(lake).map((each) => each.file);

    lake.now = Date.UTC(2026, 10, 22) + KEPT_MS - 1;
    expect(await retired(lake)).toMatchObject({ files: 0 });
    lake.now += 1;
    expect(await retired(lake)).toMatchObject({ files: 1 });
    expect(await retired(lake)).toMatchObject({ files: 0 });
    expect(bronze(lake)).toEqual([{ file, retired_by: "retention" }]);
    lake.now += DAY_MS - 1;
    await sweep(lake);
    expect(lake.bucket.objects.has(file)).toBe(true);
    lake.now += 1;
    await sweep(lake);
    expect(lake.bucket.objects.has(file)).toBe(false);

    expect(await lake.settle()).toEqual([]);
    expect([await lake.query(SILVER), weather(lake)]).toEqual([silver, before]);
    await closes(lake);
  });

  test("stays while a date of its file is younger, or is not built with all its files", async () => {
    const lake = new Lake(NOON);
    const dates = [0, 1, 2, 3].map((days) => readings(lake, [`e${days}`], NOON + days * DAY_MS));
    await lake.land("weather", dates);
    await lake.settle();
    expect(bronze(lake)).toHaveLength(3);
    lake.now = Date.UTC(2026, 10, 22) + KEPT_MS;
    expect(await retired(lake)).toMatchObject({ files: 0 });
    lake.now += DAY_MS;
    lake.d1.rows(
      "UPDATE partition_inputs SET version = version + 1 WHERE domain = 'weather' AND partition_date = ?",
      DAY,
    );
    expect(await retired(lake)).toMatchObject({ files: 0 });
    lake.d1.rows("UPDATE partition_inputs SET built_version = version WHERE domain = 'weather'");
    expect(await retired(lake)).toMatchObject({ files: 1 });
  });

  test("a partition that is sealed cannot be built again: a data failure that leaves the version live", async () => {
    const lake = await sealedLake();
    const silver = await lake.query(SILVER);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    expect(await lake.settle()).toEqual([`weather ${DAY} failed`]);
    expect(weather(lake)).toMatchObject({ status: "FAILED", error_message: expect.stringContaining("BRONZE_RETIRED") });
    expect(await lake.query(SILVER)).toEqual(silver);
    expect(await lake.build(tableOf("weather"), DAY)).toMatchObject({ kind: "not_needed" });
  });

  test("events that come after the sealing go to quarantine, are counted, and go with retention too", async () => {
    const lake = await sealedLake();
    const silver = await lake.query(SILVER);
    const quarantine = async () =>
      lake.d1.rows<{ rows: number }>(
        "SELECT rows FROM data_files WHERE table_name = 'silver_weather' AND kind = 'quarantine' AND removed IS NULL ORDER BY added",
      );
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    await lake.settle();
    await lake.land("weather", [readings(lake, ["late", "late"], NOON)]);
    expect((await lake.settle()).filter((each) => each.startsWith("weather"))).toEqual([`weather ${DAY} committed`]);
    expect(await quarantine()).toEqual([{ rows: 2 }]);
    await lake.land("weather", [readings(lake, ["later"], NOON)]);
    await lake.settle();
    expect(await quarantine()).toEqual([{ rows: 2 }, { rows: 1 }]);
    expect(weather(lake)).toMatchObject({ status: "DONE", silver_records: 3 });
    expect(await lake.query(SILVER)).toEqual(silver);
    await closes(lake);

    expect(await retired(lake)).toMatchObject({ files: 0 });
    lake.now += DAY_MS + HOUR;
    expect(await retired(lake)).toMatchObject({ files: 2 });
    lake.now += DAY_MS + HOUR;
    await sweep(lake);
    expect([...lake.bucket.objects.keys()].filter((key) => /^bronze.*parquet$/.test(key))).toEqual([]);
    expect(await lake.query(SILVER)).toEqual(silver);
    await closes(lake);
  });
});

test("of the versions of a date, the last of an hour, of a day and at last one stays; files a day longer; the live ones stay", async () => {
  const lake = new Lake(NOON);
  const versions = () =>
    lake.d1
      .rows<{ version: number }>("SELECT version FROM versions WHERE table_name = 'silver_weather' ORDER BY version")
      .map(({ version }) => version);
  // Four versions: two within an hour, one in the next, one the day after.
  for (const [id, wait] of [
    ["a", 60_000],
    ["b", HOUR],
    ["c", DAY_MS],
    ["d", 0],
  ] as const) {
    await lake.land("weather", [readings(lake, [id], NOON)]);
    await lake.settle();
    lake.now += wait;
  }
  expect(versions()).toEqual([1, 2, 3, 4]);
  expect(await retired(lake)).toMatchObject({ versions: expect.any(Number) });
  expect(versions()).toEqual([2, 3, 4]);
  lake.now += 3 * DAY_MS;
  await retired(lake);
  expect(versions()).toEqual([3, 4]);
  const silver = () =>
    [...lake.bucket.objects.keys()].filter((key) => /^silver\/weather\/.*(parquet|-v\d+.json)$/.test(key));
  lake.now += DAY_MS + HOUR;
  await sweep(lake);
  // A version adds to the one before: all four files are live, beside the manifests of two versions.
  expect(silver()).toHaveLength(6);
  lake.now += 31 * DAY_MS;
  await retired(lake);
  expect(versions()).toEqual([4]);
  lake.now += DAY_MS + HOUR;
  await sweep(lake);
  const live = lake.d1.rows<{ file: string }>("SELECT file FROM data_files WHERE file LIKE 'silver/weather/%'");
  expect(silver()).toEqual([...live.map(({ file }) => file), `silver/weather/metadata/${DAY}-v4.json`].sort());
  expect(await lake.query(SILVER)).toHaveLength(4);
});

test("a contract's own retention counts, and the shipped ones keep bronze for good", async () => {
  expect(expiriesOf(contracts, NOON)).toEqual([]);
  expect(expiriesOf([...contracts, ...KEEPING], NOON)).toEqual([{ topic: "weather", lastDate: "2026-11-13" }]);
  const lake = new Lake(NOON);
  await lake.land("weather", [readings(lake, ["a"])]);
  await lake.settle();
  lake.now += 4_000 * DAY_MS;
  expect(await retired(lake, contracts)).toMatchObject({ files: 0 });
  expect(bronze(lake)).toMatchObject([{ retired_by: null }]);
});
