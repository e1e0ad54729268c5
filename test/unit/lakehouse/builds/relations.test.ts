/** Weeks, months and windows, built by the planner's own choice of partitions, are what DuckDB answers over all of silver. */
import { beforeAll, expect, test } from "vitest";
import { formatTimestamp } from "../../../../schemas/time.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { deploy } from "../../../oracle/deploys.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";

beforeAll(() => loadParquetWasm());

const DAY_MS = 86_400_000;
/** A Thursday, near a month's end. */
const START = Date.UTC(2026, 10, 26, 12);
const header = (lines: string) => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
const by = (unit: "week" | "month", from: string, date: string, sum: string) =>
  `SELECT date_trunc('${unit}', ${date})::DATE AS first, ${sum} AS n FROM ${from} GROUP BY 1`;
/** A day with the one after it, as for what crosses midnight; and with the one before. */
const two = (shift: string) =>
  `SELECT day, count(*) AS n FROM (SELECT event_date AS day FROM silver_orders UNION ALL SELECT event_date ${shift} FROM silver_orders) GROUP BY 1`;
const SELECTS = {
  weekly: by("week", "silver_orders", "event_date", "count(*)"),
  monthly: by("month", "silver_orders", "event_date", "count(DISTINCT customer_id)"),
  with_next: two("- 1"),
  with_last: two("+ 1"),
  months_of_weeks: by("month", "daily", "event_date", "sum(n)::BIGINT"),
  daily: "SELECT event_date, count(*) AS n FROM silver_orders GROUP BY 1",
};
const MODELS = {
  "sql/gold/weekly.sql":
    header("partition: first\nkey: [first]\ninputs:\n  silver_orders: within(week)") + SELECTS.weekly,
  "sql/gold/monthly.sql":
    header("partition: first\nkey: [first]\ninputs:\n  silver_orders: within(month)") + SELECTS.monthly,
  "sql/gold/with_next.sql": header("partition: day\nkey: [day]\ninputs:\n  silver_orders: next(2)") + SELECTS.with_next,
  "sql/gold/with_last.sql": header("partition: day\nkey: [day]\ninputs:\n  silver_orders: last(2)") + SELECTS.with_last,
  "sql/gold/daily.sql": header("partition: event_date\nkey: [event_date]") + SELECTS.daily,
  "sql/gold/months_of_weeks.sql":
    header("partition: first\nkey: [first]\ninputs:\n  daily: within(month)") + SELECTS.months_of_weeks,
};

test("over a month's and a week's end, with days that have nothing, and events that come late", async () => {
  const lake = await deploy({ models: MODELS }, new Date(START).toISOString(), START);
  let messages = 0;
  const order = async (id: string, customer: string, at: number) => {
    const event = {
      ...{
        event_id: id,
        order_id: "ord_000001",
        customer_id: customer,
        status: "placed",
        currency: "EUR",
        amount: 10.5,
      },
      ...{ event_timestamp: formatTimestamp((at - 60_000) * 1_000), channel: "web" },
      items: [{ sku: "s", name: "n", quantity: 2, unit_price: 10.5 }],
    };
    const message = { topic: "orders", messageId: uuidAt(lake.now, ++messages), received: lake.now * 1_000 };
    await lake.land("orders", [makeMessage({ ...message, events: [{ event, extra: null, lexical: null }] })]);
    await lake.settle();
  };
  for (const day of [0, 1, 3, 4, 6]) {
    lake.now = START + day * DAY_MS;
    await order(`${day} a`, `c${day % 2}`, lake.now);
    await order(`${day} b`, "c", lake.now);
  }
  lake.now += 3 * DAY_MS;
  await order("late", "late", START + DAY_MS);
  for (const [name, select] of Object.entries(SELECTS)) {
    const column = /AS (day|first)\b|event_date,/.exec(select)?.[1] ?? "event_date";
    const dates = `SELECT DISTINCT ${column} FROM ${name}`;
    // A window makes no partition of a day that has no order of its own.
    const own = `SELECT ${column}, n FROM (${select}) WHERE ${column} IN (${dates})`;
    const found = await lake.query(`SELECT ${column}, n FROM ${name} ORDER BY 1`);
    expect(found, name).toEqual(await lake.query(`${own} ORDER BY 1`));
    expect(found.length, name).toBeGreaterThan(1);
  }
  expect(await lake.query("SELECT first FROM weekly ORDER BY 1")).toEqual([
    { first: "2026-11-23" },
    { first: "2026-11-30" },
  ]);
  expect(await lake.query("SELECT count(*) AS n FROM with_next")).toEqual([{ n: "5" }]);
});
