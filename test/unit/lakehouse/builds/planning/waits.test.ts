/** When the planner queues a build: by how long its news has waited and how many rows it is, not by the minute. */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { decide, type Partition, type PlanPolicy } from "../../../../../lakehouse/builds/planning/machine.ts";
import { plan, planTransitions } from "../../../../../lakehouse/builds/planning/planner.ts";
import { planPolicy, planPolicyFor, waitOf } from "../../../../../lakehouse/builds/planning/policy.ts";
import type { Relation } from "../../../../../lakehouse/engine/ir/relation.ts";
import type { PartitionRow } from "../../../../../sql/statements/partitions.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { weatherMessage } from "../../../../oracle/weather.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = "2026-11-21";
const CLOSES = Date.UTC(2026, 10, 22, 1);
const NOON = Date.UTC(2026, 10, 21, 12);

const POLICY: PlanPolicy = {
  knows: () => true,
  closesAt: () => CLOSES,
  judgedAt: () => CLOSES + 2 * MINUTE,
  partitionsRead: () => [],
  isNative: () => false,
  waitMs: (_domain, closed) => (closed ? HOUR : 10 * MINUTE),
  maxRetries: 5,
  requeueAfterMs: MINUTE,
};

function done(changedAt: number, changes: Partial<Partition> = {}): Partition {
  const times = { leaseUntil: 0, queuedAt: 0, notBefore: 0, awaitsClosing: false, inputsUnsettled: false };
  const state = {
    domain: "d",
    date: DAY,
    status: "DONE",
    retryCount: 0,
    version: 2,
    builtVersion: 1,
    news: true,
  } as const;
  return { ...state, changedAt, unseenRows: 1, failedVersion: null, failureClass: null, ...times, ...changes };
}

/** Minutes from `from` until it is decided so. */
function until(partition: Partition, status: string, from: number): number | undefined {
  for (let minute = 0; minute < 24 * 60; minute++)
    if (decide(partition, POLICY, from + minute * MINUTE)?.status === status) return minute;
  return undefined;
}

describe("news of a partition", () => {
  test("waits while it is open, the first of all too; 100,000 rows do not", () => {
    expect(until(done(NOON), "PENDING", NOON)).toBe(10);
    expect(until(done(NOON, { status: "UNDISCOVERED", builtVersion: 0 }), "PENDING", NOON)).toBe(10);
    expect(until(done(NOON, { unseenRows: 99_999 }), "PENDING", NOON)).toBe(10);
    expect(until(done(NOON, { unseenRows: 100_000 }), "PENDING", NOON)).toBe(0);
  });

  test("waits no longer than to the closing, and is not late then", () => {
    const changed = CLOSES - 3 * MINUTE;
    expect(until(done(changed), "PENDING", changed)).toBe(3);
    expect(until(done(changed), "LATE", changed)).toBeUndefined();
  });

  test("after the closing it is late at once, and revised within the hour; a thousand rows at once", () => {
    const changed = CLOSES + MINUTE;
    expect(until(done(changed), "LATE", changed)).toBe(0);
    const late = { status: "LATE" } as const;
    expect(until(done(changed, late), "REPROCESSING", changed)).toBe(60);
    expect(until(done(changed, { ...late, unseenRows: 1_000 }), "REPROCESSING", changed)).toBe(0);
  });

  test("that comes after a data failure waits as well, the failed input does not come again", () => {
    const failed = { status: "FAILED", failureClass: "data", failedVersion: 1 } as const;
    expect(until(done(NOON, failed), "RETRYING", NOON)).toBe(10);
    expect(until(done(NOON, { ...failed, failedVersion: 2 }), "RETRYING", NOON)).toBeUndefined();
  });

  test("that nobody dated, or that a clock dated in the future, does not wait", () => {
    expect(until(done(0), "PENDING", NOON)).toBe(0);
    expect(until(done(0), "LATE", CLOSES)).toBe(0);
    expect(until(done(NOON + HOUR), "PENDING", NOON)).toBe(0);
  });

  test("what an operator asks for does not wait: a status, a deleted row, inputs once more", () => {
    expect(until(done(NOON, { status: "PENDING" }), "PENDING", NOON)).toBe(0);
    expect(until(done(NOON, { status: "UNDISCOVERED" }), "PENDING", NOON)).toBe(0);
    expect(until(done(NOON, { news: false }), "PENDING", NOON)).toBe(0);
  });
});

describe("checks that wait for the closing", () => {
  const awaiting = { version: 1, news: false, unseenRows: 0, awaitsClosing: true } as const;
  const minutes = (partition: Partition) => until(partition, "PENDING", CLOSES - 5 * MINUTE);

  test("have a partition built when it is judged as a whole, though nothing is new, and no sooner", () => {
    expect(minutes(done(NOON, awaiting))).toBe(7);
    expect(minutes(done(NOON, { ...awaiting, awaitsClosing: false }))).toBeUndefined();
    expect(decide(done(NOON, awaiting), POLICY, CLOSES + 2 * MINUTE)).toMatchObject({ queue: true, closing: true });
  });

  test("wait for what it reads", () => {
    expect(minutes(done(NOON, { ...awaiting, inputsUnsettled: true }))).toBeUndefined();
  });

  test("do not come back where somebody discarded what failed by them", () => {
    expect(minutes(done(NOON, { ...awaiting, version: 2, failedVersion: 2 }))).toBeUndefined();
  });

  test("are judged together with what came late, which does not wait for more then", () => {
    const late = done(CLOSES + MINUTE, { ...awaiting, status: "LATE", version: 2, news: true });
    expect(until(late, "REPROCESSING", CLOSES + MINUTE)).toBe(1);
  });

  test("of a model wait until its inputs have been judged and built, unless these wait for a person", () => {
    const row = (domain: string, changes: Partial<PartitionRow>): PartitionRow => ({
      ...{
        domain,
        date: DAY,
        status: "DONE",
        retry_count: 0,
        version: 1,
        built_version: 1,
        news: false,
        changed_at: NOON,
      },
      ...{ unseen_rows: 0, failed_version: null, failure_class: null, lease_until: 0, queued_at: 0, not_before: 0 },
      ...{ fence: 1, now: CLOSES + HOUR, pinned: false, native: false, awaits_closing: true },
      ...changes,
    });
    const policy = { ...POLICY, partitionsRead: (domain: string) => (domain === "agg" ? [READ] : []) };
    const READ = { domain: "src", from: DAY, to: DAY };
    const queued = (src: Partial<PartitionRow>) =>
      planTransitions([row("src", src), row("agg", {})], policy).flatMap(({ domain, closing }) =>
        closing ? [domain] : [],
      );
    expect(queued({})).toEqual(["src"]);
    expect(queued({ status: "IN_FLIGHT", lease_until: CLOSES + 2 * HOUR })).toEqual([]);
    expect(queued({ status: "PENDING", version: 2 })).toEqual([]);
    expect(queued({ awaits_closing: false })).toEqual(["agg"]);
    expect(queued({ status: "FAILED", failure_class: "data", version: 2, failed_version: 2 })).toEqual(["agg"]);
    expect(queued({ status: "FAILED", failure_class: "system", version: 2, failed_version: 2 })).toEqual([]);
    expect(queued({ date: "2026-11-20" })).toEqual(["src", "agg"]);
    expect(queued({ pinned: true })).toEqual(["agg"]);
    expect(queued({ version: 2, failed_version: 2 })).toEqual(["agg"]);
  });
});

test("a partition is judged behind its closing, once flushes brought in what was received before it", () => {
  expect(planPolicy.judgedAt("orders", DAY)).toBe(planPolicy.closesAt("orders", DAY) + 2 * MINUTE);
  expect(planPolicy.judgedAt("daily_order_revenue", DAY)).toBe(planPolicy.judgedAt("orders", DAY));
  expect(planPolicy.partitionsRead("daily_order_revenue", DAY)).toEqual([{ domain: "orders", from: DAY, to: DAY }]);
});

test("the waits are the contract's; derived tables with one input follow at once, those with several do not", () => {
  expect(planPolicy.waitMs("orders", false)).toBe(10 * MINUTE);
  expect(planPolicy.waitMs("orders", true)).toBe(HOUR);
  expect(planPolicy.waitMs("daily_order_revenue", false)).toBe(0);
  expect(planPolicy.waitMs("silver_ledger", false)).toBe(15 * MINUTE);
  const model = tableOf("daily_order_revenue");
  if (model.kind !== "model") throw new Error("no model");
  const reading = (inputs: readonly Relation[], buildAfterMs?: number) => {
    const read = inputs.map((relation, n) => ({ table: `t${n}`, columns: [], relation }));
    return waitOf({
      ...model,
      model: { ...model.model, inputs: read, ...(buildAfterMs === undefined ? {} : { buildAfterMs }) },
    });
  };
  expect(reading([{ kind: "last", days: 7 }])).toBe(0);
  expect(reading([{ kind: "same" }, { kind: "same" }])).toBe(15 * MINUTE);
  expect([reading([{ kind: "all" }]), reading([{ kind: "latest" }])]).toEqual([15 * MINUTE, 15 * MINUTE]);
  expect([reading([{ kind: "all" }], MINUTE), reading([{ kind: "same" }], MINUTE)]).toEqual([MINUTE, MINUTE]);
  const local = planPolicyFor("1");
  for (const domain of ["orders", "silver_ledger"]) expect(local.waitMs(domain, true)).toBe(1_000);
  expect(local.waitMs("daily_order_revenue", false)).toBe(0);
  expect(planPolicyFor("0")).toBe(planPolicy);
});

test("a model closes when the last that it reads has, and no sooner or later", () => {
  expect(planPolicy.closesAt("daily_order_revenue", DAY)).toBe(planPolicy.closesAt("orders", DAY));
  expect(planPolicy.closesAt("pipeline_health", DAY)).toBe(planPolicy.closesAt("silver_ledger", DAY));
});

describe("a lake", () => {
  beforeAll(() => loadParquetWasm());

  async function land(lake: Lake, n: number): Promise<void> {
    const events = [{ eventId: `e${n}`, at: NOON * 1_000 }];
    await lake.land("weather", [
      weatherMessage({ messageId: uuidAt(lake.now, n), received: lake.now * 1_000, events }),
    ]);
  }

  /** Minutes that pass, a tick each, until a build of the topic is queued. */
  async function wait(lake: Lake): Promise<number> {
    for (let minutes = 0; ; minutes++) {
      if (minutes > 100) throw new Error("never queued");
      const queued: string[] = [];
      const builds = {
        sendBatch: async (sent: { body: { domain: string } }[]) =>
          void queued.push(...sent.map(({ body }) => body.domain)),
      };
      await plan({ db: lake.d1.binding, builds, policy: planPolicy, newNonce: randomUUID, log: () => {} });
      if (queued.includes("weather")) return minutes;
      lake.now += MINUTE;
    }
  }

  test("is built ten minutes after the first flush that no build saw, however many come", async () => {
    const lake = new Lake(NOON);
    await land(lake, 1);
    expect(await wait(lake)).toBe(10);
    await lake.build(tableOf("weather"), DAY);

    lake.now += 7 * MINUTE;
    await land(lake, 2);
    lake.now += 4 * MINUTE;
    await land(lake, 3);
    expect(await wait(lake)).toBe(6);
    // One comes while it is built: it waits from the end of the build on.
    const { around } = lake.d1;
    let calls = 0;
    lake.d1.around = async (work) => {
      const result = await work();
      // The lease, what a person decided, the progress, how far shards are flushed, the list of inputs.
      if (++calls === 5) {
        lake.d1.around = around;
        await land(lake, 4);
      }
      return result;
    };
    expect(await lake.build(tableOf("weather"), DAY)).toMatchObject({ kind: "committed", rowsIn: 2 });
    expect(await wait(lake)).toBe(10);
    expect(await lake.build(tableOf("weather"), DAY)).toMatchObject({ kind: "committed", rowsIn: 1 });
  });

  test("is built at once when 100,000 rows wait, whose count is of those that no build saw", async () => {
    const lake = new Lake(NOON);
    await land(lake, 1);
    lake.d1.rows("UPDATE bronze_file_dates SET rows = 100000 WHERE topic = 'weather'");
    expect(await wait(lake)).toBe(0);
    lake.d1.rows("UPDATE bronze_file_dates SET rows = 1 WHERE topic = 'weather'");
    await lake.build(tableOf("weather"), DAY);
    lake.d1.rows("UPDATE bronze_file_dates SET rows = 100000 WHERE topic = 'weather'");
    await land(lake, 2);
    expect(await wait(lake)).toBe(10);
  });
});
