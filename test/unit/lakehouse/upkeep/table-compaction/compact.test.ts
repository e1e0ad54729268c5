/** Compaction of a partition of a table in a whole lake: what readers, builds, versions and rollbacks have of it. */
import { beforeAll, describe, expect, test } from "vitest";
import { rollBackTable } from "../../../../../lakehouse/builds/rollback.ts";
import { filesAsOf } from "../../../../../lakehouse/tables/files-as-of.ts";
import { TABLE_COMPACTION } from "../../../../../lakehouse/upkeep/table-compaction/plan.ts";
import { releasePins } from "../../../../../sql/statements/rollbacks.ts";
import { listEndedRuns } from "../../../../../sql/statements/run-list.ts";
import { listVersions } from "../../../../../sql/statements/versions.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { landOrders } from "../../../../oracle/order-models.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const CLOSED = Date.UTC(2026, 10, 22, 12);
const orders = tableOf("orders");

async function increments(lake: Lake, first: number, count: number): Promise<void> {
  for (let n = first; n < first + count; n++) {
    await landOrders(lake, [{ id: n, amount: 100 + n }]);
    await lake.plan();
    await lake.build(orders, DAY);
    lake.now += 1_000;
  }
}

const compact = (lake: Lake, rule = TABLE_COMPACTION) => lake.compact(orders, DAY, rule);
const live = (lake: Lake) =>
  lake.d1.rows<{ file: string; rows: number }>(
    "SELECT file, rows FROM data_files WHERE table_name = 'silver_orders' AND kind = 'data' AND added IS NOT NULL AND removed IS NULL ORDER BY file",
  );

describe("a partition of small files", () => {
  test("becomes one file once it has closed; nothing that reads it has anything new, and a build goes on behind it", async () => {
    const lake = new Lake(NOON);
    await increments(lake, 1, 6);
    await lake.settle();
    expect(await compact(lake)).toEqual({ kind: "not_needed" });
    const gold = lake.d1.rows(
      "SELECT * FROM partition_inputs WHERE domain <> 'orders' ORDER BY domain, partition_date",
    );
    const before = await lake.query("FROM silver_orders ORDER BY event_id");
    lake.now = CLOSED;
    expect(await compact(lake)).toEqual({ kind: "committed", files: 6, into: 1, rows: 6, more: false });
    expect(await compact(lake)).toEqual({ kind: "not_needed" });
    expect(live(lake)).toHaveLength(1);
    expect(await lake.query("FROM silver_orders ORDER BY event_id")).toEqual(before);
    expect(new TextDecoder().decode(lake.bucket.bytesOf("silver/orders/views.sql")).match(/\.parquet'/g)).toHaveLength(
      1,
    );
    expect(
      lake.d1.rows("SELECT * FROM partition_inputs WHERE domain <> 'orders' ORDER BY domain, partition_date"),
    ).toEqual(gold);

    const [newest, previous] = await listVersions(lake.d1.binding, "silver_orders", DAY, null, 10);
    expect(newest).toMatchObject({ kind: "compaction", rows: 6, rows_added: 0 });
    for (const same of ["digest", "seen", "complete_through"] as const) expect(newest?.[same]).toBe(previous?.[same]);
    const asOf = await filesAsOf(lake.d1.binding, lake.bucket, "silver_orders", previous?.version ?? 0);
    expect(asOf.files).toHaveLength(6);
    const filter = { domains: ["orders"], date: DAY, status: null, after: null };
    expect((await listEndedRuns(lake.d1.binding, filter, 1, 10)).rows).toMatchObject([
      { kind: "compaction", status: "DONE", rows_in: 6, rows_out: 6 },
    ]);

    // A late order, and a copy of one that is there: an increment, in silver and in gold.
    await landOrders(lake, [
      { id: 7, amount: 107 },
      { id: 3, amount: 103 },
    ]);
    const built = await lake.settle();
    expect(built.filter((each) => each.includes(DAY) && each.endsWith("committed"))).toContain(
      `orders ${DAY} committed`,
    );
    expect(
      live(lake)
        .map(({ rows }) => rows)
        .sort(),
    ).toEqual([1, 6]);
    const read = lake.d1.rows<{ rows_in: number }>(
      "SELECT rows_in FROM ended_runs WHERE domain = 'daily_order_revenue' AND partition_date = ? ORDER BY run_id DESC LIMIT 1",
      DAY,
    );
    expect(read).toEqual([{ rows_in: 1 }]);
  });

  test("is left alone while it is open and has few, waits for a build, is held by a rollback, or is of another generation", async () => {
    const lake = new Lake(NOON);
    await increments(lake, 1, 6);
    lake.now = CLOSED;
    const pin = "INSERT INTO pinned_partitions VALUES ('orders', ?, 1, 'r', '2026-11-22T00:00:00Z')";
    lake.d1.rows(pin, DAY);
    expect(await compact(lake)).toEqual({ kind: "not_needed" });
    await releasePins(lake.d1.binding, "orders", null);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'orders' AND partition_date = ?", DAY);
    expect(await compact(lake)).toEqual({ kind: "not_needed" });
    lake.d1.rows("UPDATE partition_meta SET status = 'DONE' WHERE domain = 'orders' AND partition_date = ?", DAY);
    lake.d1.rows(
      "INSERT INTO table_generations (table_name, generation, content, meaning, released_at, since, walking) VALUES ('silver_orders', 'g', 'c', '{}', '', '', 0)",
    );
    expect(await compact(lake)).toEqual({ kind: "not_needed" });
    lake.d1.rows("DELETE FROM table_generations WHERE table_name = 'silver_orders'");
    expect(await compact(lake)).toMatchObject({ kind: "committed" });
  });

  test("that is rolled back across a compaction has its rows of then; a table's rollback leaves dates alone that were only compacted", async () => {
    const lake = new Lake(NOON);
    await increments(lake, 1, 6);
    const rows = await lake.query("FROM silver_orders ORDER BY event_id");
    lake.now = CLOSED;
    const [before] = await listVersions(lake.d1.binding, "silver_orders", DAY, null, 1);
    await compact(lake);
    const deps = { db: lake.d1.binding, bucket: lake.bucket, newRunId: () => `rollback-${lake.now}` };
    const wanted = { version: before?.version ?? 0, reason: "a test" };
    expect((await rollBackTable(deps, orders, { ...wanted, date: null })).partitions).toEqual([]);
    lake.now += 1_000;
    expect((await rollBackTable(deps, orders, { ...wanted, date: DAY })).partitions).toMatchObject([{ rows: 6 }]);
    expect(live(lake)).toHaveLength(6);
    expect(await lake.query("FROM silver_orders ORDER BY event_id")).toEqual(rows);
    await releasePins(lake.d1.binding, "orders", null);
    await lake.settle();
    expect(await lake.query("FROM silver_orders ORDER BY event_id")).toEqual(rows);
  });

  test("that cannot be read fails as a run, and neither a build nor the next compaction waits for it", async () => {
    const lake = new Lake(NOON);
    await increments(lake, 1, 6);
    lake.now = CLOSED;
    const [lost] = live(lake);
    const kept = lake.bucket.objects.get(lost?.file ?? "");
    lake.bucket.objects.delete(lost?.file ?? "");
    await expect(compact(lake)).rejects.toThrow("is not in the bucket");
    expect(
      lake.d1.rows("SELECT kind, status FROM ended_runs WHERE domain = 'orders' ORDER BY run_id DESC LIMIT 1"),
    ).toEqual([{ kind: "compaction", status: "FAILED" }]);
    expect(lake.d1.rows("SELECT status FROM partition_meta WHERE domain = 'orders'")).toEqual([{ status: "DONE" }]);
    if (kept !== undefined) lake.bucket.objects.set(lost?.file ?? "", kept);
    await landOrders(lake, [{ id: 7, amount: 107 }]);
    await lake.settle();
    expect(await compact(lake)).toMatchObject({ kind: "committed", files: 7 });
  });
});
