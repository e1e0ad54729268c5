/** Three days of orders, models over them, and deploys that change these: what tests of generations begin with. */
import { formatTimestamp } from "../../schemas/time.ts";
import { deploy } from "./deploys.ts";
import { makeMessage, uuidAt } from "./frames.ts";
import type { Lake } from "./lake.ts";

export const DAY_MS = 86_400_000;
export const START = Date.UTC(2026, 10, 16, 12);
export const DAYS = ["2026-11-16", "2026-11-17", "2026-11-18"];
export const released = (n: number) => new Date(START + n * 1_000).toISOString();

export const header = (lines: string) => `/* ---\ndescription: a test\n${lines}\n--- */\n`;
export const daily = (value: string, more = "") =>
  `${header("partition: event_date\nkey: [event_date]")}SELECT event_date, ${value} AS value${more} FROM silver_orders GROUP BY 1`;
export const lastTwo = (of: string, from: string) =>
  `${header(`partition: day\nkey: [day]\ninputs:\n  ${from}: last(2)`)}SELECT day, sum(v)::BIGINT AS total FROM (
     SELECT event_date AS day, ${of} AS v FROM ${from} UNION ALL SELECT event_date + 1, ${of} FROM ${from}) GROUP BY 1`;
export const COUNTS = { "sql/gold/daily.sql": daily("count(*)") };
export const DOUBLED = { "sql/gold/daily.sql": daily("count(*) * 2") };

let messages = 0;
export function orders(lake: Lake, ids: readonly string[]): Uint8Array {
  return makeMessage({
    topic: "orders",
    messageId: uuidAt(lake.now, ++messages),
    received: lake.now * 1_000,
    events: ids.map((id) => ({
      event: {
        ...{ event_id: id, order_id: "ord_000001", customer_id: "c1", status: "placed", currency: "EUR", amount: 10.5 },
        ...{ event_timestamp: formatTimestamp((lake.now - 60_000) * 1_000), channel: "web" },
        items: [{ sku: "s", name: "n", quantity: 2, unit_price: 10.5 }],
      },
      extra: null,
      lexical: null,
    })),
  });
}

/** Three dates of one, two and three orders. */
export async function filled(models: Readonly<Record<string, string>>): Promise<Lake> {
  const lake = await deploy({ models }, released(0), START);
  for (const [n, date] of DAYS.entries()) {
    await lake.land("orders", [
      orders(
        lake,
        Array.from({ length: n + 1 }, (_, i) => `${date} ${i}`),
      ),
    ]);
    lake.now += DAY_MS;
  }
  await lake.settle();
  const more = await walked(lake);
  if (more.length > 0) throw new Error(`a lake that was filled is built again: ${more.join(", ")}`);
  return lake;
}

/** Ticks of the duty and of the planner until nothing happens, for longer than a message that was lost; what was built. */
export async function walked(lake: Lake): Promise<string[]> {
  const built: string[] = [];
  for (let quiet = 0; quiet < 2; lake.now += 61_000) {
    const logged = await lake.walk();
    const now = await lake.settle();
    built.push(...now);
    quiet = logged.length === 0 && now.length === 0 ? quiet + 1 : 0;
  }
  return built;
}

export const values = (lake: Lake, table = "daily", columns = "event_date, value") =>
  lake.query(`SELECT ${columns} FROM ${table} ORDER BY 1`);
export const stale = (lake: Lake) =>
  lake.d1.rows(
    `SELECT p.table_name, p.partition_date FROM published p JOIN versions v USING (table_name, version) JOIN table_generations g USING (table_name)
     WHERE v.generation IS NOT g.generation ORDER BY 1, 2`,
  );
export const row = (lake: Lake, table: string) =>
  lake.d1.rows<{ generation: string; walking: number; shown_version: number | null; backfill_id: string | null }>(
    "SELECT * FROM table_generations WHERE table_name = ?",
    table,
  )[0];
export const built = (domain: string, dates: readonly string[] = DAYS) =>
  dates.map((date) => `${domain} ${date} committed`);
