import { beforeAll, describe, expect, test } from "vitest";
import { COMPACTION_POLICY } from "../../../../../lakehouse/upkeep/compaction/plan.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { compactAll, compactOne, planOf, sweep } from "../../../../oracle/compaction.ts";
import type { D1Fault } from "../../../../oracle/faulty-d1.ts";
import { uuidAt } from "../../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { AnswerLostError } from "../../../../oracle/memory-bucket.ts";
import { readWithDuckDb } from "../../../../oracle/read-parquet.ts";
import { weatherMessage } from "../../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const TODAY = "2026-11-21";
const HOUR = 3_600_000;

beforeAll(() => loadParquetWasm());

/** `files` flushes of the hour after noon, all with today and every second with older dates, of which two share a file; each repeats an event of the one before. */
async function hourOfFlushes(files = 6, older = [1, 2, 3]): Promise<Lake> {
  const lake = new Lake(NOON);
  for (let n = 0; n < files; n++) {
    lake.now = NOON + n * 60_000;
    const days = n % 2 === 0 ? [0] : [0, ...older];
    await lake.land("weather", [
      weatherMessage({
        messageId: uuidAt(lake.now, n),
        received: lake.now * 1_000,
        events: [n, n - 1].flatMap((id) => days.map((day) => ({ eventId: `e${id}-${day}`, at: at(day) }))),
      }),
    ]);
  }
  return lake;
}

function at(daysAgo: number): number {
  return (NOON - daysAgo * 24 * HOUR) * 1_000;
}

const EVENTS = "SELECT event_date, event_id, _message, _event FROM silver_weather ORDER BY ALL";

function catalogOf(lake: Lake) {
  return {
    versions: lake.d1.rows("SELECT * FROM partition_inputs WHERE domain = 'weather' ORDER BY partition_date"),
    digests: lake.d1.rows(
      "SELECT partition_date, file_hash, source_files, record_count FROM partition_meta WHERE domain = 'weather' ORDER BY 1",
    ),
  };
}

function live(lake: Lake): string[] {
  return lake.d1
    .rows<{ file: string }>("SELECT file FROM bronze_files WHERE retired_by IS NULL ORDER BY file")
    .map(({ file }) => file);
}

describe("compaction", () => {
  test("an hour that is not closed is left alone; then the files of each date and the mixed ones become one each", async () => {
    const lake = await hourOfFlushes();
    expect(await planOf(lake)).toEqual([]);
    lake.now = NOON + HOUR + 299_000;
    expect(await planOf(lake)).toEqual([]);
    lake.now = NOON + HOUR + 300_000;
    expect((await compactAll(lake)).map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
    expect(live(lake).map((file) => file.replace(/[0-9a-f]{16}/, "..."))).toEqual([
      "bronze/weather/event_date=2026-11-20/000-compacted-....parquet",
      "bronze/weather/event_date=2026-11-21/000-compacted-....parquet",
      "bronze_mixed/weather/000-compacted-....parquet",
    ]);
    expect(await planOf(lake)).toEqual([]);
  });

  test("eight files are worth it, seven are not", async () => {
    for (const files of [7, 8]) {
      const lake = await hourOfFlushes(files);
      lake.now = NOON + 2 * HOUR;
      expect(await planOf(lake, COMPACTION_POLICY)).toHaveLength(files === 8 ? 1 : 0);
    }
  });

  test("it is no new input, and a rebuild from it alone has the same rows and digest", async () => {
    const lake = await hourOfFlushes();
    await lake.settle();
    const rows = await lake.query(EVENTS);
    const before = catalogOf(lake);
    lake.now = NOON + 2 * HOUR;
    await compactAll(lake);
    expect(catalogOf(lake)).toEqual(before);
    expect(await lake.settle()).toEqual([]);

    lake.now += 25 * HOUR;
    expect(await sweep(lake)).toEqual({ deleted: 12 });
    expect([...lake.bucket.objects.keys()].filter((key) => /^bronze.*parquet$/.test(key))).toEqual(live(lake));
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    expect((await lake.settle()).filter((built) => built.startsWith("weather"))).toHaveLength(4);
    expect(await lake.query(EVENTS)).toEqual(rows);
    expect(catalogOf(lake)).toEqual(before);
  });

  test("a build that listed the files before the compaction reads them after it", async () => {
    const [plain, compacted] = [await hourOfFlushes(), await hourOfFlushes()];
    for (const lake of [plain, compacted]) {
      lake.now = NOON + 2 * HOUR;
      await lake.plan();
    }
    // The build's lease and its list of files are its first calls; then everything else happens.
    const calls: number[] = [];
    const { around } = compacted.d1;
    compacted.d1.around = async (work) => {
      calls.push(calls.length);
      const result = await work();
      if (calls.length === 2) {
        compacted.d1.around = around;
        expect((await compactAll(compacted)).map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
        expect(await sweep(compacted)).toEqual({ deleted: 0 });
      }
      return result;
    };
    for (const lake of [plain, compacted]) {
      const outcome = await lake.build(tableOf("weather"), TODAY);
      expect(outcome).toMatchObject({ kind: "committed", rowsIn: 12, rowsOut: 7 });
    }
    expect(await compacted.query(EVENTS)).toEqual(await plain.query(EVENTS));
    expect(catalogOf(compacted)).toEqual(catalogOf(plain));
  });

  test("the compacted rows are those of the small files, each date's one file after another, as DuckDB reads them", async () => {
    const lake = await hourOfFlushes();
    const small = new Map<string, Record<string, unknown>[]>();
    for (const file of live(lake)) small.set(file, await readWithDuckDb(lake.bucket.bytesOf(file)));
    lake.now = NOON + 2 * HOUR;
    await compactAll(lake);
    for (const file of live(lake)) {
      const rows = await readWithDuckDb(lake.bucket.bytesOf(file));
      const inputs = lake.d1.rows<{ file: string }>(
        "SELECT file FROM bronze_files WHERE retired_by = ? ORDER BY file",
        file,
      );
      const all = inputs.flatMap((input) => small.get(input.file) ?? []);
      for (const { partition_date: date, first_row: first, rows: count } of lake.d1.rows<{
        partition_date: string;
        first_row: number;
        rows: number;
      }>("SELECT * FROM bronze_file_dates WHERE file = ?", file)) {
        expect(rows.slice(first, first + count)).toEqual(all.filter((row) => row["event_date"] === date));
      }
      expect(rows).toHaveLength(all.length);
    }
  });

  test("an input that was retired meanwhile: the compaction is dropped, and what it wrote is tombstoned", async () => {
    const lake = await hourOfFlushes();
    lake.now = NOON + 2 * HOUR;
    const [first = "", second = ""] = await planOf(lake);
    lake.d1.rows(
      "UPDATE bronze_files SET retired_by = 'retention' WHERE file = (SELECT inputs ->> 0 FROM compactions WHERE file = ?)",
      first,
    );
    expect(await compactOne(lake, first)).toMatchObject({ kind: "dropped" });
    // In the middle: after the catalog was read, before it is turned.
    const { around } = lake.d1;
    let calls = 0;
    lake.d1.around = async (work) => {
      if (++calls === 3)
        lake.d1.rows(
          "UPDATE bronze_files SET retired_by = 'retention' WHERE file = (SELECT inputs ->> 0 FROM compactions WHERE file = ?)",
          second,
        );
      return work();
    };
    expect(await compactOne(lake, second)).toMatchObject({ kind: "dropped" });
    lake.d1.around = around;
    expect(lake.bucket.objects.has(second)).toBe(true);
    expect(lake.d1.rows("SELECT object FROM tombstones ORDER BY object")).toEqual(
      [first, second].toSorted().map((object) => ({ object })),
    );
    lake.now += 25 * HOUR;
    await sweep(lake);
    expect(lake.bucket.objects.has(second)).toBe(false);
    // Those that are left find each other.
    expect((await compactAll(lake)).every(({ kind }) => kind === "done")).toBe(true);
  });

  test("a lost message is sent again, not for ever", async () => {
    const lake = await hourOfFlushes();
    lake.now = NOON + 2 * HOUR;
    const sent = await planOf(lake);
    expect(sent).toHaveLength(3);
    for (let attempt = 2; attempt <= 5; attempt++) {
      lake.now += 29 * 60_000;
      expect(await planOf(lake)).toEqual([]);
      lake.now += 60_000;
      expect(await planOf(lake)).toEqual(sent);
    }
    lake.now += HOUR;
    expect(await planOf(lake)).toEqual([]);
  });

  test("a file with columns that this deploy does not know is not rewritten", async () => {
    const lake = await hourOfFlushes(2);
    lake.now = NOON + 2 * HOUR;
    await lake.d1.binding.prepare("UPDATE bronze_files SET topic = 'payments'").run();
    const [file = ""] = await planOf(lake, { ...COMPACTION_POLICY, minFiles: 1 });
    expect(await compactOne(lake, file)).toMatchObject({
      kind: "dropped",
      reason: expect.stringContaining("station_id"),
    });
  });

  test("an object is not deleted while a build runs that began before it was tombstoned", async () => {
    const lake = await hourOfFlushes();
    lake.now = NOON + 2 * HOUR;
    await lake.plan();
    await compactAll(lake);
    lake.d1.rows("UPDATE partition_meta SET status = 'IN_FLIGHT' WHERE domain = 'weather'");
    lake.d1.rows(
      "UPDATE partition_leases SET run_id = 'r', started_at = '2026-11-21T13:59:00.000Z', lease_until = ? WHERE partition_date = ?",
      lake.now + 26 * HOUR,
      TODAY,
    );
    lake.now += 25 * HOUR;
    expect(await sweep(lake)).toEqual({ deleted: 0 });
    lake.now += 2 * HOUR;
    expect(await sweep(lake)).toEqual({ deleted: 12 });
  });
});

/** Four flushes, compacted while `arm`'s fault is met, gone on with as the queue and the cron would, and then built from what is left. */
async function builtAfter(arm: (lake: Lake) => void) {
  const lake = await hourOfFlushes(4, [1]);
  lake.now = NOON + 2 * HOUR;
  arm(lake);
  for (let round = 0; live(lake).length > 2; round++) {
    if (round > 6) throw new Error(`never compacted: ${live(lake).join(", ")}`);
    for (const file of await planOf(lake).catch(() => [])) {
      for (let delivery = 0; delivery < 2; delivery++) await compactOne(lake, file).catch(() => {});
    }
    lake.now += 31 * 60_000;
  }
  const hit = lake.d1.faults.length + lake.bucket.failures.length === 0;
  lake.d1.faults.length = 0;
  lake.bucket.failures.length = 0;
  lake.now = NOON + 30 * HOUR;
  expect(await sweep(lake)).toEqual({ deleted: 6 });
  await lake.settle();
  return { hit, rows: await lake.query(EVENTS), catalog: catalogOf(lake) };
}

describe("a compaction with a fault at any one call", () => {
  let expected: Omit<Awaited<ReturnType<typeof builtAfter>>, "hit">;
  beforeAll(async () => {
    const plain = await hourOfFlushes(4, [1]);
    plain.now = NOON + 30 * HOUR;
    await plain.settle();
    expected = { rows: await plain.query(EVENTS), catalog: catalogOf(plain) };
  });

  /** With the fault at the first call, at the second, and so on until no call meets it. */
  async function everywhere(arm: (lake: Lake, before: readonly undefined[]) => void): Promise<void> {
    let calls = 0;
    for (let hit = true; hit; calls++) {
      const { hit: met, ...built } = await builtAfter((lake) =>
        arm(
          lake,
          Array.from({ length: calls }, () => undefined),
        ),
      );
      expect(built).toEqual(expected);
      hit = met;
    }
    expect(calls).toBeGreaterThan(5);
  }

  test.each<D1Fault>(["before", "after"])("of D1 (%s) ends with the same rows", (fault) =>
    everywhere((lake, before) => lake.d1.faults.push(...before, fault)),
  );

  test.each([new Error("R2 is down"), new AnswerLostError("lost")])("of R2 (%s) ends with the same rows", (error) =>
    everywhere((lake, before) => lake.bucket.failures.push(...before, error)),
  );
});
