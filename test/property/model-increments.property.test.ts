/**
 * Gold that grows against DuckDB: silver grows, is compacted, built anew, rolled back and thinned, partial results are lost or damaged, and
 * any step fails anywhere; what is published is always what the model's SELECT gives over the silver that is published. And gold reads no
 * row again because silver's small files became few.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { rollBackTable } from "../../lakehouse/builds/rollback.ts";
import type { ModelTable } from "../../lakehouse/tables/catalog.ts";
import { foldClosed } from "../../lakehouse/tables/fold.ts";
import { stagedPlaces } from "../../lakehouse/tables/staged-places.ts";
import { buryAbandoned } from "../../lakehouse/upkeep/retention/bury-abandoned.ts";
import { deleteTombstones } from "../../lakehouse/upkeep/retention/delete-due.ts";
import { retire } from "../../lakehouse/upkeep/retention/retire.ts";
import { TABLE_COMPACTION } from "../../lakehouse/upkeep/table-compaction/plan.ts";
import { releasePins } from "../../sql/statements/rollbacks.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { type Around, Lake, tableOf } from "../oracle/lake.ts";
import { AnswerLostError } from "../oracle/memory-bucket.ts";
import { landOrders, orderModel } from "../oracle/order-models.ts";

beforeAll(() => loadParquetWasm());

const RUNS = longOrShare(40, 4);
const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const HOUR = 3_600_000;

const MODELS = {
  merge: `key: [event_date, currency]
--- */
SELECT event_date, currency, count(*) AS orders, sum(amount) AS revenue, avg(amount) AS mean, sum(amount::DOUBLE / 3) AS third,
  count(DISTINCT customer_id) AS customers, min(order_id) AS first_order, max(channel) AS channel
FROM silver_orders GROUP BY ALL`,
  // One row, also of no rows; and what stands above the groups.
  counted: `key: [event_date]
--- */
SELECT event_date, count(*) AS currencies, sum(orders)::BIGINT AS orders, max(third) AS third FROM
  (SELECT event_date, currency, count(*) AS orders, avg(amount::DOUBLE / 7) AS third FROM silver_orders GROUP BY ALL) GROUP BY ALL`,
  rows: `key: [event_date, event_id, sku]
checks:
  - { metric: nullValues, column: sku, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_id, sku], mustBe: 0, on_fail: block }
--- */
SELECT event_date, event_id, currency, amount::DOUBLE / 3 AS third, unnest(items).sku AS sku FROM silver_orders WHERE currency <> 'USD'`,
  whole: `key: [event_date, event_id]
max_rows: 1000
--- */
SELECT o.event_date, o.currency, o.event_id, o.amount < t.total AS part FROM silver_orders o
JOIN (SELECT event_date, currency, sum(amount) AS total FROM silver_orders GROUP BY ALL) t ON t.event_date = o.event_date AND t.currency = o.currency`,
} as const;
type Kind = keyof typeof MODELS;

type Fault = "none" | "before" | "after" | "r2" | "r2 after";

type Op =
  /** `grow`: silver is built of it. */
  | { readonly do: "flush" | "grow"; readonly orders: readonly { readonly id: number; readonly amount: number }[] }
  | { readonly do: "silver" | "gold"; readonly fault: Fault; readonly at: number }
  | {
      readonly do: "compact";
      readonly domain: "orders" | "daily_order_revenue";
      readonly fault: Fault;
      readonly at: number;
    }
  /** A compaction that stands still after so many calls until a build of the partition was tried; it may have lost its lease by then. */
  | {
      readonly do: "race";
      readonly domain: "orders" | "daily_order_revenue";
      readonly stands: number;
      readonly expired: boolean;
    }
  | { readonly do: "ask"; readonly domain: "orders" | "daily_order_revenue" }
  | { readonly do: "roll back"; readonly domain: "orders" | "daily_order_revenue"; readonly back: number }
  | { readonly do: "release" | "lose" | "damage" | "fold" | "thin" | "sweep" }
  | { readonly do: "hours"; readonly hours: number };

const domain = fc.constantFrom("orders" as const, "daily_order_revenue" as const);
const fault = fc.constantFrom<Fault>("none", "none", "before", "after", "r2", "r2 after");
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("flush" as const, "grow" as const),
      orders: fc.array(fc.record({ id: fc.nat(40), amount: fc.integer({ min: 1, max: 99_999 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("silver" as const), fault, at: fc.nat(14) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("gold" as const), fault, at: fc.nat(14) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("compact" as const), domain, fault, at: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: fc.constant("race" as const), domain },
      ...{ stands: fc.integer({ min: 1, max: 12 }), expired: fc.boolean() },
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("ask" as const), domain }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("roll back" as const), domain, back: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom<"release" | "lose" | "damage" | "fold" | "thin" | "sweep">(
        "release",
        "lose",
        "damage",
        "fold",
        "thin",
        "sweep",
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hours" as const), hours: fc.integer({ min: 1, max: 80 }) }) },
);

/** Two files side by side are many, so that random ops meet it. */
const RULE = { ...TABLE_COMPACTION, fewFiles: 1, openFiles: 2 };

class Run {
  readonly lake = new Lake(NOON);
  readonly table: ModelTable;
  readonly stepRows: number;
  /** What gold builds read, run by run. */
  readonly read: number[] = [];
  compactions = 0;
  #rollbacks = 0;

  constructor(table: ModelTable, stepRows: number) {
    this.table = table;
    this.stepRows = stepRows;
  }

  async take(op: Op): Promise<void> {
    const { lake } = this;
    switch (op.do) {
      case "flush":
      case "grow": {
        lake.now += 1_000;
        await landOrders(lake, op.orders);
        if (op.do === "grow") await this.build("orders");
        return;
      }
      case "silver":
        return this.#withFault(op, () => this.build("orders"));
      case "gold":
        return this.#withFault(op, () => this.build("daily_order_revenue"));
      case "compact":
        return this.#withFault(op, () => this.compact(op.domain));
      case "race":
        return this.#race(op);
      case "ask":
        lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = ? AND status = 'DONE'", op.domain);
        return;
      case "roll back": {
        const { name } = tableOf(op.domain);
        const versions = lake.d1
          .rows<{ version: number }>(
            "SELECT version FROM versions WHERE table_name = ? AND thinned = 0 ORDER BY version",
            name,
          )
          .map(({ version }) => version);
        const version = versions.at(-1 - op.back);
        if (version === undefined) return;
        const deps = { db: lake.d1.binding, bucket: lake.bucket, newRunId: () => `rollback-${++this.#rollbacks}` };
        await rollBackTable(deps, this.#tableOf(op.domain), { version, date: DAY, reason: "a test" });
        return;
      }
      case "release":
        await releasePins(lake.d1.binding, "orders", null);
        await releasePins(lake.d1.binding, "daily_order_revenue", null);
        return;
      case "lose":
        for (const key of this.#saved()) lake.bucket.objects.delete(key);
        return;
      case "damage":
        for (const key of this.#saved()) {
          const stored = lake.bucket.objects.get(key);
          if (stored === undefined) continue;
          const bytes = stored.bytes.slice();
          bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
          lake.bucket.objects.set(key, { ...stored, bytes });
        }
        return;
      case "fold":
        await foldClosed(lake.d1.binding, lake.bucket, lake.now);
        return;
      case "thin":
        await retire({ db: lake.d1.binding, bucket: lake.bucket, contracts: [] }, lake.now);
        return;
      case "sweep": {
        const deps = { db: lake.d1.binding, bucket: lake.bucket, places: stagedPlaces, log: () => {} };
        await buryAbandoned(deps, lake.now);
        await deleteTombstones(deps);
        return;
      }
      case "hours":
        lake.now += op.hours * HOUR;
        return;
    }
  }

  async compact(domain: string, around?: Around): Promise<void> {
    const outcome = await this.lake.compact(this.#tableOf(domain), DAY, RULE, around);
    if (outcome.kind === "committed") this.compactions++;
    this.lake.now += 1_000;
  }

  async #race({ domain, stands, expired }: Op & { do: "race" }): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const until = Promise.withResolvers<void>();
    let calls = 0;
    const compaction = this.compact(domain, async (work) => {
      if (++calls > stands) {
        reached.resolve();
        await until.promise;
      }
      return work();
    }).catch(() => undefined);
    await Promise.race([reached.promise, compaction]);
    if (expired) this.lake.now += 3 * 60_000;
    await this.build(domain);
    until.resolve();
    await compaction;
  }

  #saved(): string[] {
    return [...this.lake.bucket.objects.keys()].filter((key) => key.endsWith(".partial"));
  }

  /** Objects beside the table that stand there, and those that the next build asks for. */
  beside() {
    const [row] = this.lake.d1.rows<{ progress: string }>(
      "SELECT progress FROM silver_progress WHERE topic = 'daily_order_revenue'",
    );
    const there = [...this.lake.bucket.objects.keys()].filter((key) => /^gold\/.*\.(keys|partial)$/.test(key));
    return { there, asked: there.filter((key) => row?.progress.includes(key)) };
  }

  #tableOf(domain: string) {
    return domain === this.table.domain ? this.table : tableOf(domain);
  }

  async build(domain: string): Promise<void> {
    const { lake } = this;
    await lake.plan();
    const outcome = await lake.build(this.#tableOf(domain), DAY, domain === "orders" ? 1_000 : this.stepRows);
    if (domain === this.table.domain && "rowsIn" in outcome) this.read.push(outcome.rowsIn);
    lake.now += 1_000;
  }

  async #withFault({ fault, at }: { readonly fault: Fault; readonly at: number }, work: () => Promise<void>) {
    const { d1, bucket } = this.lake;
    await this.lake.plan();
    const idle = Array.from({ length: at }, () => undefined);
    if (fault === "before" || fault === "after") d1.faults.push(...idle, fault);
    if (fault === "r2") bucket.failures.push(...idle, new Error("R2 is down"));
    if (fault === "r2 after") bucket.failures.push(...idle, new AnswerLostError("lost"));
    await work().catch(() => undefined);
    d1.faults.length = 0;
    bucket.failures.length = 0;
  }

  /** Builds until both tables are done. */
  async settle(): Promise<void> {
    const { lake } = this;
    await this.take({ do: "release" });
    for (let tick = 0; tick < 400; tick++) {
      for (const { domain } of await lake.plan())
        if (domain === "orders" || domain === this.table.domain) await this.build(domain);
      lake.now += 61_000;
      const open = lake.d1.rows(
        `SELECT i.domain FROM partition_inputs i LEFT JOIN partition_meta m USING (domain, partition_date)
         WHERE i.domain IN ('orders', 'daily_order_revenue') AND i.partition_date = ? AND (m.status IS NOT 'DONE' OR i.version <> i.built_version)`,
        DAY,
      );
      if (open.length > 0) continue;
      // A message that is delivered again brings the pointers up to date that could not follow a commit.
      for (const domain of ["orders", this.table.domain]) await this.build(domain);
      return;
    }
    throw new Error(JSON.stringify(lake.d1.rows("SELECT * FROM partition_meta")));
  }

  /** What is published, and what DuckDB gives over the silver that is. */
  async rows() {
    const { key, sql } = this.table.model;
    const by = key.map((name) => `"${name}"`).join(", ");
    const published = await this.lake.query(`SELECT * FROM daily_order_revenue ORDER BY ${by}`);
    const expected = await this.lake.query(`SELECT * FROM (${sql}) ORDER BY ${by}`);
    return { published, expected };
  }

  digest() {
    return this.lake.d1.rows("SELECT file_hash FROM partition_meta WHERE domain = 'daily_order_revenue'");
  }
}

/** Doubles to 1e-12 of the sizes of what was added up; everything else alike. */
function expectSame({ published, expected }: Awaited<ReturnType<Run["rows"]>>): void {
  expect(published.length).toBe(expected.length);
  for (const [at, row] of published.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const wanted = expected[at]?.[name];
      if (typeof value === "number" && typeof wanted === "number" && !Number.isInteger(wanted))
        expect(Math.abs(value - wanted), name).toBeLessThanOrEqual(1e-12 * 50_000);
      else expect({ [name]: value }).toEqual({ [name]: wanted });
    }
  }
}

/** Ops after which a build goes on from what was read before, or somebody asked for another one. */
const GOING_ON: readonly Op["do"][] = ["flush", "grow", "silver", "gold", "compact", "ask", "hours", "fold", "thin"];

describe.each<Kind>(["merge", "counted", "rows", "whole"])(
  "compaction of what a model reads, and of its own rows (%s)",
  (kind) => {
    test(
      "is nothing to its builds: each reads what it would have read, and gives the same rows",
      async () => {
        const table = await orderModel(MODELS[kind]);
        let compactions = 0;
        const opsThatGoOn = fc.array(
          op.filter(({ do: what }) => GOING_ON.includes(what)),
          { minLength: 6, maxLength: 24, size: "max" },
        );
        await fc.assert(
          fc.asyncProperty(opsThatGoOn, fc.integer({ min: 1, max: 9 }), async (ops, stepRows) => {
            fc.pre(ops.some((each) => "orders" in each));
            const outcomes: unknown[] = [];
            for (const compacting of [true, false]) {
              const run = new Run(table, stepRows);
              for (const each of ops) {
                if (each.do !== "compact") await run.take("fault" in each ? { ...each, fault: "none" } : each);
                else {
                  if (compacting) await run.take(each);
                  // Where its answer was lost its lease ends by itself.
                  run.lake.now += 3 * 60_000;
                }
              }
              await run.settle();
              compactions += run.compactions;
              outcomes.push({ read: run.read, rows: (await run.rows()).published });
            }
            expect(outcomes[0]).toEqual(outcomes[1]);
          }),
          { numRuns: longOrShare(40, 4) },
        );
        expect(compactions).toBeGreaterThan(0);
      },
      longOrShare(900_000, 300_000),
    );
  },
);

describe.each<Kind>(["merge", "counted", "rows"])("a model that is built by increments (%s)", (kind) => {
  test(
    "is what its SELECT gives over the silver that is published, whatever happened before",
    async () => {
      const table = await orderModel(MODELS[kind]);
      expect(table.model.class.kind).toBe(kind === "rows" ? "rows" : "merge");
      await fc.assert(
        fc.asyncProperty(fc.array(op, { maxLength: 24 }), fc.integer({ min: 1, max: 9 }), async (ops, stepRows) => {
          fc.pre(ops.some((each) => "orders" in each));
          const run = new Run(table, stepRows);
          for (const each of ops) await run.take(each);
          await run.settle();
          const grown = await run.rows();
          expectSame(grown);
          const digest = run.digest();
          // From nothing, in other steps: the same to the last bit, and the digest of the same inputs.
          await run.take({ do: "ask", domain: "daily_order_revenue" });
          await run.settle();
          expect((await run.rows()).published).toEqual(grown.published);
          expect(run.digest()).toEqual(digest);
          expect(run.lake.d1.rows("SELECT * FROM data_files WHERE added IS NULL")).toEqual([]);
          // In a week nothing is left beside the table but what the next build asks for.
          for (let week = 0; week < 2; week++) {
            await run.take({ do: "hours", hours: 8 * 24 });
            await run.take({ do: "sweep" });
          }
          const { there, asked } = run.beside();
          expect(there).toEqual(asked);
          if (kind !== "rows" || grown.published.length > 0) expect(asked.length).toBeGreaterThan(0);
          expect(run.lake.d1.rows("SELECT DISTINCT line FROM silver_progress")).toEqual([{ line: "published" }]);
        }),
        { numRuns: RUNS },
      );
    },
    longOrShare(900_000, 300_000),
  );
});
