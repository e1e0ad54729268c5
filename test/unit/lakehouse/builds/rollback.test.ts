/** A topic's table and what reads it, rolled back and released, with the builds that run meanwhile. */
import { beforeAll, expect, test } from "vitest";
import { rollBackTable } from "../../../../lakehouse/builds/rollback.ts";
import { foldBronze } from "../../../../lakehouse/tables/bronze/fold.ts";
import { foldClosed } from "../../../../lakehouse/tables/fold.ts";
import { retireFoldedDates } from "../../../../lakehouse/upkeep/retention/retire-folded.ts";
import { retireExpired } from "../../../../sql/statements/retention.ts";
import { releasePins } from "../../../../sql/statements/rollbacks.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;

beforeAll(() => loadParquetWasm());

let messages = 0;
async function land(lake: Lake, id: string): Promise<void> {
  const events = [{ eventId: id, at: (NOON - 60_000) * 1_000 }];
  const message = { messageId: uuidAt(lake.now, ++messages), received: lake.now * 1_000, events };
  await lake.land("weather", [weatherMessage(message)]);
}
const ids = async (lake: Lake) =>
  (await lake.query("SELECT event_id FROM silver_weather ORDER BY 1")).map((row) => row["event_id"]);
const built = (all: readonly string[]) => all.filter((each) => each.startsWith("weather"));

async function rolledBack(lake: Lake): Promise<void> {
  let runs = 0;
  const deps = { db: lake.d1.binding, bucket: lake.bucket, newRunId: () => `rollback-${++runs}` };
  const request = { version: 1, date: null, reason: "wrong" };
  expect(await rollBackTable(deps, tableOf("weather"), request)).toMatchObject({ partitions: [{ to: 1, rows: 1 }] });
}

test.each([false, true])(
  "shows the old rows until it is released, whatever comes in; then all of them (folded: %s)",
  async (folded) => {
    const lake = new Lake(NOON);
    await land(lake, "a");
    await lake.settle();
    await land(lake, "b");
    await lake.settle();
    expect(await ids(lake)).toEqual(["a", "b"]);

    await rolledBack(lake);
    expect(await ids(lake)).toEqual(["a"]);
    await land(lake, "c");
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    lake.now += 2 * HOUR;
    expect(built(await lake.settle())).toEqual([]);
    expect(await ids(lake)).toEqual(["a"]);
    const terms = "SELECT sum(events) AS n FROM ledger_outcomes WHERE topic = 'weather' AND term = 'silver'";
    expect(lake.d1.rows(terms)).toEqual([{ n: 1 }]);
    if (folded) {
      lake.d1.rows("DELETE FROM data_files WHERE removed IS NOT NULL");
      lake.now += 72 * HOUR;
      expect((await foldClosed(lake.d1.binding, lake.bucket, lake.now)).folded).toBeGreaterThan(0);
      expect(await ids(lake)).toEqual(["a"]);
    }

    expect(await releasePins(lake.d1.binding, "weather", null)).toMatchObject([{ version: 1, reason: "wrong" }]);
    lake.now += 2 * HOUR;
    expect(built(await lake.settle()).at(-1)).toMatch(/committed$/);
    expect(await ids(lake)).toEqual(["a", "b", "c"]);
    expect(lake.d1.rows(terms)).toEqual([{ n: 3 }]);
    expect(
      lake.d1.rows(
        "SELECT count(*) AS n FROM data_files WHERE table_name = 'silver_weather' AND kind = 'data' AND removed IS NULL",
      ),
    ).toEqual([{ n: 1 }]);
  },
);

test.each([false, true])(
  "a date whose bronze is retired says so when it is released, and takes no row that it had for a late one (folded: %s)",
  async (folded) => {
    const lake = new Lake(NOON);
    await land(lake, "a");
    await lake.settle();
    await land(lake, "b");
    await lake.settle();
    lake.now += 40 * 24 * HOUR;
    const expiries = [{ topic: "weather", lastDate: "2026-11-25" }];
    if (folded) {
      expect(await foldBronze(lake.d1.binding, lake.bucket, ["weather"], lake.now)).toMatchObject({ dates: 1 });
      expect(await retireFoldedDates(lake.d1.binding, lake.bucket, expiries)).toMatchObject({ files: 2 });
    } else expect(await retireExpired(lake.d1.binding, expiries, new Date(lake.now).toISOString(), 9)).toBe(2);

    await rolledBack(lake);
    await land(lake, "late");
    await releasePins(lake.d1.binding, "weather", null);
    lake.now += 2 * HOUR;
    expect(built(await lake.settle()).at(-1)).toMatch(/failed$/);
    const [state] = lake.d1.rows<{ status: string; error_message: string }>(
      "SELECT status, error_message FROM partition_meta WHERE domain = 'weather'",
    );
    expect(state).toMatchObject({ status: "FAILED", error_message: expect.stringContaining("BRONZE_RETIRED") });
    expect(lake.d1.rows("SELECT 1 FROM data_files WHERE kind = 'quarantine'")).toEqual([]);
    // The version that had all is brought back as any other is; then only what came late stands beside it.
    const deps = { db: lake.d1.binding, bucket: lake.bucket, newRunId: () => "forward" };
    await rollBackTable(deps, tableOf("weather"), { version: 2, date: "2026-11-21", reason: "all of it" });
    await releasePins(lake.d1.binding, "weather", null);
    lake.now += 2 * HOUR;
    expect(built(await lake.settle()).at(-1)).toMatch(/committed$/);
    expect(await ids(lake)).toEqual(["a", "b"]);
    expect(lake.d1.rows("SELECT rows FROM data_files WHERE kind = 'quarantine'")).toEqual([{ rows: 1 }]);
  },
);
