/**
 * Two native builders at one partition, in any order and at once, with answers that are lost and leases that run out: each run publishes
 * once or not at all, nobody publishes for a lease that is another's, and in the end the rows are those of one build.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import type { WorkOrder } from "../../lakehouse/builds/native/wire.ts";
import { loadParquetWasm } from "../../tools/build/parquet-wasm-node.ts";
import { longOrShare } from "../long-share.ts";
import { Lake } from "../oracle/lake.ts";
import { AnswerLostError } from "../oracle/memory-bucket.ts";
import { type Built, NativeBuilder, nativeGateway } from "../oracle/native-builder.ts";
import { landOrders } from "../oracle/order-models.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const DOMAIN = "daily_order_revenue";
const KEY = "sk_local_".padEnd(52, "b");
const ORDERS = Array.from({ length: 12 }, (_, id) => ({ id, amount: 100 + id * 7 }));

/** The same of each run: what it reads is the same. */
let built: Built;
let rows: Record<string, unknown>[];

async function opened(): Promise<{ lake: Lake; builders: readonly [NativeBuilder, NativeBuilder] }> {
  const lake = new Lake(NOON, undefined, undefined, "2026-11-01T00:00:00.000Z");
  lake.d1.rows(
    "INSERT INTO native_partitions VALUES (?, ?, 'a test', '2026-11-21T00:00:00Z') RETURNING 1",
    DOMAIN,
    DAY,
  );
  lake.d1.rows("INSERT INTO producers VALUES ('b', '2026-01-01T00:00:00Z') RETURNING 1");
  lake.d1.rows(
    `INSERT INTO api_keys (key_hash, producer, scopes, created_at) VALUES (?, 'b', '["*:build"]', '2026-01-01T00:00:00Z') RETURNING 1`,
    createHash("sha256").update(KEY).digest("hex"),
  );
  await landOrders(lake, ORDERS);
  await lake.settle();
  const send = (await nativeGateway(lake))(KEY);
  return { lake, builders: [new NativeBuilder(send), new NativeBuilder(send)] };
}

beforeAll(async () => {
  loadParquetWasm();
  const { lake, builders } = await opened();
  const [first] = builders;
  const order = await first.order();
  built = await first.build(order);
  await first.upload(order, built);
  await first.commit(order, built);
  rows = await lake.query(`SELECT * FROM ${DOMAIN} ORDER BY ALL`);
  expect(rows.length).toBeGreaterThan(1);
});

type Step = "lease" | "upload" | "commit" | "renew" | "fail" | "release" | "die";
interface Act {
  readonly who: 0 | 1;
  readonly step: Step;
}
/** A call to D1 or R2 that goes wrong: before it is done, or with its answer lost. */
interface Fault {
  readonly of: "d1" | "r2";
  readonly call: number;
  readonly when: "before" | "after";
}
type Op =
  | { readonly do: "act"; readonly acts: readonly Act[]; readonly fault: Fault | undefined }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "plan" }
  | { readonly do: "rebuild" };

const act: fc.Arbitrary<Act> = fc.record({
  who: fc.constantFrom(0 as const, 1 as const),
  step: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("lease" as const, "upload" as const, "commit" as const) },
    { weight: 1, arbitrary: fc.constantFrom("renew" as const, "fail" as const, "release" as const, "die" as const) },
  ),
});
const fault: fc.Arbitrary<Fault | undefined> = fc.option(
  fc.record({
    of: fc.constantFrom("d1" as const, "r2" as const),
    call: fc.nat(12),
    when: fc.constantFrom("before" as const, "after" as const),
  }),
  { nil: undefined, freq: 2 },
);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("act" as const),
      acts: fc.array(act, { minLength: 1, maxLength: 2 }),
      fault,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 10, 46, 100) }) },
  { weight: 2, arbitrary: fc.constantFrom<Op>({ do: "plan" }, { do: "rebuild" }) },
);

test("each run publishes once or not at all, and the rows are those of one build", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40 }), async (ops) => {
      const { lake, builders } = await opened();
      const orders: (WorkOrder | undefined)[] = [undefined, undefined];
      const told = new Map<string, string>();
      /** Commits that were asked for and not answered: their builders ask again until they are. */
      const unanswered = new Map<string, { readonly builder: NativeBuilder; readonly order: WorkOrder }>();

      async function take({ who, step }: Act): Promise<void> {
        const builder = builders[who];
        const order = orders[who];
        if (step === "lease") {
          orders[who] = (await builder.lease()).work ?? undefined;
          return;
        }
        if (order === undefined) return;
        if (step === "die") orders[who] = undefined;
        else if (step === "upload") await builder.upload(order, built);
        else if (step === "renew") forget(who, await builder.renew(order));
        else if (step === "commit") {
          unanswered.set(order.run, { builder, order });
          const { outcome } = await builder.commit(order, built);
          unanswered.delete(order.run);
          // Asked twice, it is answered alike.
          expect(told.get(order.run) ?? outcome).toBe(outcome);
          told.set(order.run, outcome);
          if (outcome === "published") orders[who] = undefined;
        } else {
          const response = await builder.fail(order, {
            class: step === "fail" ? "system" : "released",
            message: "why",
          });
          forget(who, response);
        }
      }
      function forget(who: 0 | 1, response: Response): void {
        if (response.status === 409) orders[who] = undefined;
      }

      for (const each of ops) {
        if (each.do === "wait") lake.now += each.seconds * 1_000;
        else if (each.do === "plan") await lake.plan();
        else if (each.do === "rebuild")
          lake.d1.rows(
            "UPDATE partition_meta SET status = 'PENDING' WHERE domain = ? AND status IN ('DONE', 'DEAD') RETURNING 1",
            DOMAIN,
          );
        else {
          if (each.fault !== undefined) arm(lake, each.fault);
          // What a call throws is an answer that a builder would ask for again.
          await Promise.allSettled(each.acts.map(take)).then((results) => {
            for (const result of results)
              if (result.status === "rejected" && !/was answered with/.test(String(result.reason))) throw result.reason;
          });
          lake.d1.faults.length = 0;
          lake.bucket.failures.length = 0;
        }
        for (const [run, outcome] of told)
          expect([run, versionsOf(lake, run)]).toEqual([run, outcome === "published" ? 1 : 0]);
        expect(
          lake.d1.rows("SELECT run_id FROM versions WHERE table_name = ? GROUP BY 1 HAVING count(*) > 1", DOMAIN),
        ).toEqual([]);
      }

      for (const { builder, order } of unanswered.values())
        await builder.commit(order, built).catch((error: unknown) => {
          if (!/was answered with 4/.test(String(error))) throw error;
        });
      // Whoever is left does it.
      lake.d1.rows(
        "UPDATE partition_meta SET status = 'PENDING' WHERE domain = ? AND status = 'DEAD' RETURNING 1",
        DOMAIN,
      );
      for (
        let i = 0;
        lake.d1.rows("SELECT 1 FROM partition_meta WHERE domain = ? AND status <> 'DONE'", DOMAIN).length > 0;
        i++
      ) {
        expect(i).toBeLessThan(10);
        lake.now += 1_000_000;
        await lake.plan();
        const { work } = await builders[0].lease();
        if (work === null) continue;
        await builders[0].upload(work, built);
        expect(await builders[0].commit(work, built)).toMatchObject({ outcome: "published" });
      }
      expect(await lake.query(`SELECT * FROM ${DOMAIN} ORDER BY ALL`)).toEqual(rows);
      expect(
        lake.d1.rows(
          "SELECT v.run_id FROM versions v LEFT JOIN native_runs r USING (run_id) WHERE v.table_name = ? AND r.outcome IS NOT 'published'",
          DOMAIN,
        ),
      ).toEqual([]);
    }),
    { numRuns: longOrShare(300, 25) },
  );
});

function arm(lake: Lake, { of, call, when }: Fault): void {
  const before = Array.from({ length: call }, () => undefined);
  if (of === "d1") lake.d1.faults.push(...before, when);
  else lake.bucket.failures.push(...before, when === "before" ? new Error("R2 is down") : new AnswerLostError("lost"));
}

function versionsOf(lake: Lake, run: string): number {
  return lake.d1.rows<{ n: number }>("SELECT count(*) AS n FROM versions WHERE run_id = ?", run)[0]?.n ?? 0;
}
