/** A closed partition reads what it looks up as of one version, whatever comes later and whenever it is built. */
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { retire } from "../../../../lakehouse/upkeep/retention/retire.ts";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { deploy } from "../../../oracle/deploys.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import type { Lake } from "../../../oracle/lake.ts";

beforeAll(() => loadParquetWasm());
afterEach(() => vi.restoreAllMocks());

const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 16, 12);
const DAY = "2026-11-16";
const header = (lines: string) => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
/** Every order so far, and of each day its orders beside that number. */
const MODELS = {
  "sql/gold/known.sql": `${header("key: [currency]\ninputs:\n  silver_orders: all")}SELECT currency, count(*) AS known FROM silver_orders GROUP BY 1`,
  "sql/gold/beside.sql": `${header("partition: event_date\nkey: [event_date, currency]\ninputs:\n  known: all")}SELECT o.event_date, o.currency, count(*) AS orders, max(k.known) AS known
     FROM silver_orders o JOIN known k ON k.currency = o.currency GROUP BY 1, 2`,
};

let messages = 0;
async function order(lake: Lake, id: string, at = lake.now): Promise<void> {
  const event = {
    ...{ event_id: id, order_id: "ord_000001", customer_id: "c1", status: "placed", currency: "EUR", amount: 10.5 },
    ...{ event_timestamp: formatTimestamp((at - 60_000) * 1_000), channel: "web" },
    items: [{ sku: "s", name: "n", quantity: 2, unit_price: 10.5 }],
  };
  const message = { topic: "orders", messageId: uuidAt(lake.now, ++messages), received: lake.now * 1_000 };
  await lake.land("orders", [makeMessage({ ...message, events: [{ event, extra: null, lexical: null }] })]);
  await lake.settle();
}

async function opened(models: Readonly<Record<string, string>> = MODELS): Promise<Lake> {
  const lake = await deploy({ models }, new Date(NOON).toISOString(), NOON);
  vi.spyOn(Date, "now").mockImplementation(() => lake.now);
  return lake;
}

const beside = async (lake: Lake, date = DAY) =>
  (await lake.query(`SELECT orders, known FROM beside WHERE event_date = '${date}'`)).map((each) => [
    Number(each["orders"]),
    Number(each["known"]),
  ]);
const pins = (lake: Lake) =>
  lake.d1.rows<{ version: number }>(
    "SELECT version FROM lookup_pins WHERE domain = 'beside' AND partition_date = ?",
    DAY,
  );
const revisions = (lake: Lake) =>
  lake.d1.rows<{ n: number }>(
    "SELECT coalesce(sum(revisions), 0) AS n FROM partition_leases WHERE domain = 'beside'",
  )[0]?.n;

describe("a partition that looks things up", () => {
  test("follows the table while it is open, and once more when it has closed; then it stays", async () => {
    const lake = await opened();
    await order(lake, "a");
    await order(lake, "b");
    expect(await beside(lake)).toEqual([[2, 2]]);
    lake.now = NOON + 12 * HOUR + 60_000;
    await order(lake, "next day");
    expect(await beside(lake)).toEqual([[2, 3]]);
    expect(pins(lake)).toEqual([]);

    lake.now = NOON + 2 * DAY_MS;
    await order(lake, "after closing");
    expect(await beside(lake)).toEqual([[2, 4]]);
    expect(pins(lake)).toHaveLength(1);
    expect(revisions(lake)).toBe(0);

    lake.now += DAY_MS;
    const runs = () =>
      lake.d1.rows("SELECT 1 FROM ended_runs WHERE domain = 'beside' AND partition_date = ?", DAY).length;
    const before = runs();
    await order(lake, "later");
    expect(runs()).toBe(before);
    expect(await beside(lake)).toEqual([[2, 4]]);
  });

  test("reads the same version for events that come late, from nothing, and when all others are forgotten", async () => {
    const lake = await opened();
    await order(lake, "a");
    lake.now = NOON + 2 * DAY_MS;
    await order(lake, "b");
    expect(await beside(lake)).toEqual([[1, 2]]);
    for (const id of ["c", "d"]) {
      lake.now += HOUR;
      await order(lake, id);
    }
    lake.now += HOUR;
    await order(lake, "late", NOON);
    expect(await beside(lake)).toEqual([[2, 2]]);
    lake.now += 40 * DAY_MS;
    await order(lake, "much later");
    for (let run = 0; run < 3; run++)
      await retire({ db: lake.d1.binding, bucket: lake.bucket, contracts: [] }, lake.now);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'beside'");
    await lake.settle();
    expect(await beside(lake)).toEqual([[2, 2]]);
  });

  test("that nothing is published of for long reads the last version from before it closed", async () => {
    const lake = await opened();
    await order(lake, "a");
    await order(lake, "b");
    lake.now = NOON + 120 * DAY_MS;
    await order(lake, "c");
    expect(await beside(lake)).toEqual([[2, 2]]);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'beside' AND partition_date = ?", DAY);
    await lake.settle();
    expect(await beside(lake)).toEqual([[2, 2]]);
    expect(pins(lake)).toHaveLength(1);
  });
});
