/** A record that may be absent, from Avro through bronze and silver: null as a whole, never a row of nulls. DuckDB reads both. */
import { beforeAll, expect, test } from "vitest";
import { createOrderChanges } from "../../../../producers/simulators/order-changes.ts";
import { createRandom } from "../../../../producers/simulators/random.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { makeMessage, uuidAt } from "../../../oracle/frames.ts";
import { Lake } from "../../../oracle/lake.ts";
import { readWithDuckDb } from "../../../oracle/read-parquet.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const EVENTS = 400;

beforeAll(() => loadParquetWasm());

test("order changes keep their rows before and after", async () => {
  const log = createOrderChanges(createRandom(5), 1 / 60);
  const changes = Array.from({ length: EVENTS }, (_, index) => log.next(NOON - (EVENTS - index) * 1_000));
  const counts = Map.groupBy(changes, (change) => change.op);
  expect([...counts.keys()].sort()).toEqual(["delete", "insert", "update"]);

  const lake = new Lake(NOON);
  const message = makeMessage({
    topic: "order_changes",
    messageId: uuidAt(NOON, 1),
    received: NOON * 1_000,
    events: changes.map((event) => ({ event, extra: null, lexical: null })),
  });
  await lake.land("order_changes", [message]);
  const files = [...lake.bucket.objects.keys()].filter((key) => /^bronze\/order_changes\/.*parquet$/.test(key));
  const bronze = (await Promise.all(files.map((file) => readWithDuckDb(lake.bucket.bytesOf(file))))).flat();
  const rows = new Map(bronze.map((row) => [row["event_id"], row]));
  expect(rows.size).toBe(EVENTS);
  for (const { event_id, before, after } of changes) {
    const row = rows.get(event_id);
    expect([row?.["before"] === null, row?.["after"] === null]).toEqual([before === null, after === null]);
    if (before !== null) expect(row?.["before"]).toMatchObject({ order_id: before.order_id, status: before.status });
    if (after !== null) expect(row?.["after"]).toMatchObject({ order_id: after.order_id, status: after.status });
  }

  await lake.settle();
  const silver = await lake.query(
    `SELECT op, count(*)::INT AS n, count(before)::INT AS had, count(after)::INT AS has, count(before.coupon)::INT AS coupons
     FROM silver_order_changes GROUP BY op ORDER BY op`,
  );
  const expected = [...counts].map(([op, some]) => ({
    op,
    n: some.length,
    had: some.filter((change) => change.before !== null).length,
    has: some.filter((change) => change.after !== null).length,
    coupons: some.filter((change) => change.before?.coupon !== undefined).length,
  }));
  expect(silver).toEqual(expected.toSorted((a, b) => (a.op < b.op ? -1 : 1)));
});
