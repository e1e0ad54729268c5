/** What a build of a model reads: what is new, where it may go on from what was read; else everything. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../../contracts/contract.ts";
import type { BuildOutcome } from "../../../../../lakehouse/builds/outcome.ts";
import type { ModelTable } from "../../../../../lakehouse/tables/catalog.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { landOrders, orderModel } from "../../../../oracle/order-models.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";

beforeAll(() => loadParquetWasm());

const SUMS = `key: [event_date, currency]
--- */
SELECT event_date, currency, count(*) AS orders, count(DISTINCT customer_id) AS customers FROM silver_orders GROUP BY ALL`;
const ROWS = `key: [event_date, event_id]
--- */
SELECT event_date, event_id, amount * 2 AS doubled FROM silver_orders`;

/** The builds of gold that it takes: `<outcome> <rows read>`. */
async function gold(lake: Lake, table: ModelTable, stepRows = 1_000): Promise<string[]> {
  const built: string[] = [];
  for (let idle = 0; idle < 2; ) {
    const queued = await lake.plan();
    idle = queued.length === 0 ? idle + 1 : 0;
    for (const { domain, date } of queued) {
      const own = domain === table.domain ? table : tableOf(domain);
      const outcome = await lake.build(own, date, domain === table.domain ? stepRows : 1_000);
      if (domain === table.domain) built.push(wordOf(outcome));
    }
    lake.now += 1_000;
  }
  return built;
}

function wordOf(outcome: BuildOutcome): string {
  return "rowsIn" in outcome ? `${outcome.kind} ${outcome.rowsIn}` : outcome.kind;
}

let orders = 0;
const some = (n: number) => Array.from({ length: n }, () => ({ id: ++orders, amount: 100 + orders }));

const ask = (lake: Lake, domain: string) =>
  lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = ? RETURNING 1", domain);

const total = async (lake: Lake) =>
  (await lake.query("SELECT sum(orders)::INTEGER AS n FROM daily_order_revenue"))[0]?.["n"];

const objects = (lake: Lake) => [...lake.bucket.objects.keys()].filter((key) => key.endsWith(".partial"));

describe.each([
  ["merge", SUMS],
  ["rows", ROWS],
])("a model of class %s", (kind, text) => {
  test("reads what silver got since, and everything when silver is built anew or somebody asks", async () => {
    const table = await orderModel(text);
    expect(table.model.class.kind).toBe(kind);
    const lake = new Lake(NOON);
    await landOrders(lake, some(5));
    expect(await gold(lake, table)).toEqual(["committed 5"]);
    await landOrders(lake, some(3));
    expect(await gold(lake, table)).toEqual(["committed 3"]);
    ask(lake, "orders");
    expect(await gold(lake, table)).toEqual(["committed 8"]);
    await landOrders(lake, some(1));
    expect(await gold(lake, table)).toEqual(["committed 1"]);
    ask(lake, table.domain);
    expect(await gold(lake, table)).toEqual(["committed 9"]);
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM silver_orders")).toEqual([{ n: 9 }]);
  });

  test("whose plan or whose checks of rows are others begins anew", async () => {
    const lake = new Lake(NOON);
    const table = await orderModel(text);
    await landOrders(lake, some(4));
    expect(await gold(lake, table)).toEqual(["committed 4"]);
    const other = await orderModel(text.replace("FROM silver_orders", "FROM silver_orders WHERE amount > 0"));
    await landOrders(lake, some(1));
    expect(await gold(lake, other)).toEqual(["committed 5"]);
    await landOrders(lake, some(1));
    expect(await gold(lake, other)).toEqual(["committed 1"]);
    const checked = await orderModel(text.replace("WHERE", "WHERE"), [few("rowCount", 1_000)]);
    await landOrders(lake, some(1));
    expect(await gold(lake, checked)).toEqual(["committed 7"]);
  });

  test("takes a large first build in steps, and a builder that dies between two loses one", async () => {
    const lake = new Lake(NOON);
    const table = await orderModel(text);
    await landOrders(lake, some(10));
    await lake.plan();
    await lake.build(tableOf("orders"), DAY);
    await lake.plan();
    expect(wordOf(await lake.build(table, DAY, 4))).toBe("stepped 4");
    await lake.plan();
    lake.bucket.failures.push(undefined, new Error("R2 is down"));
    expect(await lake.build(table, DAY, 4)).toMatchObject({ kind: "failed", failureClass: "system" });
    lake.now += 10_000;
    expect(await gold(lake, table, 4)).toEqual(["stepped 4", "committed 2"]);
    // Silver that is built anew between two steps takes the ground from under them.
    ask(lake, table.domain);
    await lake.plan();
    expect(wordOf(await lake.build(table, DAY, 4))).toBe("stepped 4");
    ask(lake, "orders");
    expect(await gold(lake, table, 20)).toContain("committed 10");
    expect(lake.d1.rows("SELECT 1 FROM data_files WHERE added IS NULL")).toEqual([]);
  });

  test("whose gate holds it back goes on from there: what is new is read, and the last good version stays", async () => {
    const lake = new Lake(NOON);
    const table = await orderModel(text, [few("rowCount", kind === "merge" ? 2 : 5)]);
    orders = 0;
    // All of one currency.
    await landOrders(
      lake,
      [3, 6].map((id) => ({ id, amount: id })),
    );
    expect(await gold(lake, table)).toEqual(["committed 2"]);
    await landOrders(
      lake,
      [1, 2, 4, 5].map((id) => ({ id, amount: id })),
    );
    expect(await gold(lake, table)).toEqual(["failed"]);
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM daily_order_revenue")).toEqual([
      { n: kind === "merge" ? 1 : 2 },
    ]);
    await landOrders(lake, [{ id: 7, amount: 7 }]);
    expect(await gold(lake, table)).toEqual(["failed"]);
    // Another check lets it through: a model of groups is judged as a whole, the rows of another are measured anew.
    const lax = await orderModel(text);
    await landOrders(lake, [{ id: 8, amount: 8 }]);
    expect(await gold(lake, lax)).toEqual([kind === "merge" ? "committed 1" : "committed 8"]);
    expect(lake.d1.rows("SELECT 1 FROM data_files WHERE added IS NULL")).toEqual([]);
  });
});

function few(metric: "rowCount", value: number): LibraryCheck {
  return {
    name: "few",
    layer: "gold",
    metric,
    columns: [],
    values: [],
    unit: "rows",
    bound: { op: "mustBeLessOrEqualTo", value },
    onFail: "block",
  };
}

describe("a partial result", () => {
  test("that is lost or damaged is made again from everything", async () => {
    const lake = new Lake(NOON);
    const table = await orderModel(SUMS);
    await landOrders(lake, some(5));
    await gold(lake, table);
    for (const key of objects(lake)) lake.bucket.objects.delete(key);
    await landOrders(lake, some(2));
    expect(await gold(lake, table)).toEqual(["committed 7"]);
    const [key = ""] = objects(lake);
    const stored = lake.bucket.objects.get(key);
    if (stored === undefined) throw new Error("there is none");
    const bytes = stored.bytes.slice();
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    lake.bucket.objects.set(key, { ...stored, bytes });
    await landOrders(lake, some(1));
    expect(await gold(lake, table)).toEqual(["committed 8"]);
    await landOrders(lake, some(1));
    expect(await gold(lake, table)).toEqual(["committed 1"]);
    expect(await total(lake)).toBe(9);
  });

  test("stands beside the table, where no glob of it counts it", async () => {
    const lake = new Lake(NOON);
    await landOrders(lake, some(1));
    await gold(lake, await orderModel(SUMS));
    expect(objects(lake)).toEqual([
      expect.stringMatching(/^gold\/daily_order_revenue\/metadata\/partials\/2026-11-21\/run-\d+-0\.partial$/),
    ]);
  });
});

test("progress that somebody edited says which row that is and what to do", async () => {
  const lake = new Lake(NOON);
  const table = await orderModel(SUMS);
  await landOrders(lake, some(2));
  await gold(lake, table);
  lake.d1.rows("UPDATE silver_progress SET progress = '{}' WHERE topic = 'daily_order_revenue' RETURNING 1");
  await landOrders(lake, some(1));
  expect(await gold(lake, table)).toContain("failed");
  const messages = lake.d1.rows<{ m: string }>(
    "SELECT error_message AS m FROM partition_meta WHERE domain = ?",
    table.domain,
  );
  expect(messages[0]?.m).toMatch(/silver_progress of daily_order_revenue 2026-11-21 .* delete the row/s);
  lake.d1.rows("DELETE FROM silver_progress WHERE topic = 'daily_order_revenue' RETURNING 1");
  ask(lake, table.domain);
  expect(await gold(lake, table)).toEqual(["committed 3"]);
});

describe("bounds", () => {
  test("more groups than an edge build holds is a data failure that says what to do, and the last good version stays", async () => {
    const lake = new Lake(NOON);
    const text = `key: [event_date, event_id]\nmax_rows: 3\n--- */\nSELECT event_date, event_id, count(*) AS n FROM silver_orders GROUP BY ALL`;
    const table = await orderModel(text);
    await landOrders(lake, some(3));
    expect(await gold(lake, table)).toEqual(["committed 3"]);
    await landOrders(lake, some(1));
    expect(await gold(lake, table)).toEqual(["failed"]);
    const [meta] = lake.d1.rows<{ m: string }>(
      "SELECT error_message AS m FROM partition_meta WHERE domain = ?",
      table.domain,
    );
    expect(meta?.m).toMatch(
      /ModelTooLargeError: model daily_order_revenue holds more than its max_rows of 3 rows: raise max_rows/,
    );
    expect(await lake.query("SELECT count(*)::INTEGER AS n FROM daily_order_revenue")).toEqual([{ n: 3 }]);
  });

  test("a model that needs all rows at once reads so many and no more", async () => {
    const lake = new Lake(NOON);
    const table = await orderModel(`key: [event_date, event_id]
limit_per_partition: true
max_rows: 100
--- */
SELECT event_date, event_id FROM silver_orders ORDER BY ALL LIMIT 2`);
    expect(table.model.class.kind).toBe("whole");
    await landOrders(lake, some(3));
    expect(await gold(lake, table)).toEqual(["committed 3"]);
    lake.d1.rows("UPDATE published SET rows = 1000001 WHERE table_name = 'silver_orders' RETURNING 1");
    ask(lake, table.domain);
    expect(await gold(lake, table)).toEqual(["failed"]);
    const [meta] = lake.d1.rows<{ m: string }>(
      "SELECT error_message AS m FROM partition_meta WHERE domain = ?",
      table.domain,
    );
    expect(meta?.m).toMatch(
      /class whole \(ORDER BY over rows .*\) and one run would read 1000001 rows, more than 1000000: let it read a model/,
    );
  });
});
