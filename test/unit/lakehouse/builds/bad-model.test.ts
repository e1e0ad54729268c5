/** Models that meet a value they cannot take: the partition says which, other dates go on, and readers keep the last good version. */
import { beforeAll, describe, expect, test } from "vitest";
import type { ModelTable } from "../../../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { landOrders, orderModel } from "../../../oracle/order-models.ts";

const NOON = Date.UTC(2026, 10, 21, 12);

beforeAll(() => loadParquetWasm());

async function settle(lake: Lake, table: ModelTable): Promise<void> {
  for (let idle = 0; idle < 2; ) {
    const queued = await lake.plan();
    idle = queued.length === 0 ? idle + 1 : 0;
    for (const { domain, date } of queued) await lake.build(domain === table.domain ? table : tableOf(domain), date);
    lake.now += 1_000;
  }
}

const stateOf = (lake: Lake, { domain }: ModelTable) =>
  lake.d1.rows<{ status: string; error_message: string | null }>(
    "SELECT status, error_message FROM partition_meta WHERE domain = ?",
    domain,
  )[0];

const values = async (lake: Lake) =>
  (await lake.query("SELECT * FROM daily_order_revenue ORDER BY ALL")).map((row) => row["value"]);

const model = (value: string, grouped: boolean) =>
  grouped
    ? `key: [event_date]\n--- */\nSELECT event_date, ${value} AS value FROM silver_orders GROUP BY event_date`
    : `key: [event_date, event_id]\n--- */\nSELECT event_date, event_id, ${value} AS value FROM silver_orders`;

/** 9.2e18 is what a BIGINT holds: two amounts of 300 take each past its end, and one of a cent does not. */
const PAST = [
  {
    title: "a product of rows",
    text: model("CAST(amount AS BIGINT) * 40000000000000000", false),
    says: /BIGINT|out of range|overflow/i,
  },
  {
    title: "a sum that is cast",
    text: model("sum(amount * 100000000)::INTEGER", true),
    says: /INTEGER|out of range/i,
  },
  {
    title: "a sum of integers",
    text: model("sum(CAST(amount AS BIGINT) * 30000000000000000)::BIGINT", true),
    says: /BIGINT|out of range/i,
  },
  {
    title: "a cast of a text",
    text: model("CAST(CASE WHEN amount > 200 THEN 'many' ELSE '1' END AS INTEGER)", false),
    says: /no INTEGER: TRY_CAST/,
  },
];

describe("a model that passes what its type holds", () => {
  test.each(PAST)(
    "$title: a data failure that says which type; the last good version stays",
    async ({ text, says }) => {
      const lake = new Lake(NOON);
      const table = await orderModel(text);
      await landOrders(lake, [{ id: 1, amount: 1 }]);
      await settle(lake, table);
      expect(stateOf(lake, table)).toMatchObject({ status: "DONE" });
      const good = await values(lake);
      expect(good).toHaveLength(1);

      await landOrders(
        lake,
        [2, 3].map((id) => ({ id, amount: 30_000 })),
      );
      await settle(lake, table);
      expect(stateOf(lake, table)?.status).toBe("FAILED");
      expect(stateOf(lake, table)?.error_message).toMatch(/^ModelValueError: /);
      expect(stateOf(lake, table)?.error_message).toMatch(says);
      expect(await values(lake)).toEqual(good);
      expect(lake.d1.rows("SELECT status FROM partition_meta WHERE domain = 'orders'")).toEqual([{ status: "DONE" }]);
    },
  );
});

test.each([
  ["rows", model("amount / (amount - amount)", false)],
  ["rows", model("CAST(amount AS BIGINT) // 0", false)],
  ["rows", model("CAST(amount AS BIGINT) % 0", false)],
  ["merge", model("sum(amount) / (count(*) - count(*))", true)],
])("a division by zero in a model of class %s gives what DuckDB gives", async (kind, text) => {
  const lake = new Lake(NOON);
  const table = await orderModel(text);
  expect(table.model.class.kind).toBe(kind);
  await landOrders(lake, [{ id: 1, amount: 5 }]);
  await settle(lake, table);
  const sql = text.split("--- */")[1] ?? "";
  expect(await lake.query("SELECT * FROM daily_order_revenue")).toEqual(await lake.query(sql));
});
