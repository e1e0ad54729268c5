/** A partition that a check holds back, ended by a person: what is published then, by the next builds too, and what is not. */
import { beforeAll, describe, expect, test } from "vitest";
import type { LibraryCheck } from "../../../../contracts/contract.ts";
import { noQuarantine } from "../../../../lakehouse/builds/gates/decisions.ts";
import type { Table } from "../../../../lakehouse/tables/catalog.ts";
import {
  type Decision,
  type DecisionAction,
  decide,
  decisionsOf,
  type HeldCheck,
} from "../../../../sql/statements/partition-decisions.ts";
import { loadParquetWasm } from "../../../../tools/build/parquet-wasm-node.ts";
import { uuidAt } from "../../../oracle/frames.ts";
import { Lake, tableOf } from "../../../oracle/lake.ts";
import { weatherMessage } from "../../../oracle/weather.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";

beforeAll(() => loadParquetWasm());

let messages = 0;
function readings(...ids: readonly string[]): Uint8Array {
  return weatherMessage({
    messageId: uuidAt(NOON, ++messages),
    received: NOON * 1_000,
    events: ids.map((eventId) => ({ eventId, at: (NOON - 60_000) * 1_000 })),
  });
}

const CHECK: LibraryCheck = {
  ...{ name: "known ids", layer: "silver", metric: "invalidValues", columns: ["event_id"], values: ["a", "b", "c"] },
  ...{ unit: "rows", bound: { op: "mustBe", value: 0 }, onFail: "block" },
};
const HELD: HeldCheck = { layer: "silver", check_name: "known ids", measured: 1 };

function weather(...checks: readonly LibraryCheck[]): Table {
  const table = tableOf("weather");
  return { ...table, checks: [...table.checks, ...(checks.length === 0 ? [CHECK] : checks)] };
}

/** One good reading is published; then a bad one comes, and the check holds the partition back. */
async function heldBack(): Promise<Lake> {
  const lake = new Lake(NOON);
  await lake.land("weather", [readings("a")]);
  await lake.plan();
  await lake.build(weather(), DAY);
  await lake.land("weather", [readings("b", "bad")]);
  await lake.plan();
  expect(await lake.build(weather(), DAY)).toMatchObject({ kind: "failed", failureClass: "data" });
  return lake;
}

let decisions = 0;
async function decided(lake: Lake, action: DecisionAction, checks = [HELD]): Promise<boolean> {
  const [row] = lake.d1.rows<{ run_id: string }>("SELECT run_id FROM partition_meta WHERE domain = 'weather'");
  const decision: Decision = {
    ...{ decision_id: `d${++decisions}`, action, reason: "known", decided_by: "key_1", decided_at: "now", checks },
    run_id: row?.run_id ?? "",
  };
  return await decide(lake.d1.binding, "weather", DAY, decision);
}

async function built(lake: Lake, table = weather()): Promise<string> {
  lake.now += 1_000;
  const queued = await lake.plan();
  if (!queued.some(({ domain }) => domain === "weather")) return "nothing queued";
  return (await lake.build(table, DAY)).kind;
}

const published = async (lake: Lake) =>
  (await lake.query("SELECT event_id FROM silver_weather ORDER BY event_id")).map((row) => row["event_id"]);
const meta = (lake: Lake) =>
  lake.d1.rows<{ status: string; error_message: string | null }>(
    "SELECT status, error_message FROM partition_meta WHERE domain = 'weather'",
  )[0];

describe("a partition that a check holds back", () => {
  test("accepted, is published in spite of it, and again by a rebuild of the same rows", async () => {
    const lake = await heldBack();
    expect(await decided(lake, "accept")).toBe(true);
    expect(await built(lake)).toBe("committed");
    expect([await published(lake), meta(lake)]).toEqual([["a", "b", "bad"], { status: "DONE", error_message: null }]);
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    expect(await built(lake)).toBe("committed");
    expect(
      lake.d1.rows("SELECT passed, on_fail FROM check_history WHERE check_name = 'known ids' AND measured > 0"),
    ).toEqual(Array(3).fill({ passed: 0, on_fail: "block" }));
    expect(await decisionsOf(lake.d1.binding, "weather", DAY)).toMatchObject([
      { action: "accept", reason: "known", decided_by: "key_1", checks: [HELD] },
    ]);
  });

  test("accepted, is held back again by more of the same, and by another check", async () => {
    const lake = await heldBack();
    await decided(lake, "accept");
    await built(lake);
    await lake.land("weather", [readings("c")]);
    // One more good row: the check measures what was accepted.
    expect(await built(lake)).toBe("committed");
    await lake.land("weather", [readings("worse")]);
    expect(await built(lake)).toBe("failed");
    expect(meta(lake)?.error_message).toMatch(/"known ids" measured 2/);
    expect(await published(lake)).toEqual(["a", "b", "bad", "c"]);
    expect(await decided(lake, "accept", [{ ...HELD, measured: 2 }])).toBe(true);
    expect(await built(lake)).toBe("committed");
    lake.d1.rows("UPDATE partition_meta SET status = 'PENDING' WHERE domain = 'weather'");
    const other: LibraryCheck = { ...CHECK, name: "other", values: ["a"] };
    expect(await built(lake, weather(CHECK, other))).toBe("failed");
  });

  test("quarantined, is published without the failing rows, now and when more come", async () => {
    const lake = await heldBack();
    expect(await decided(lake, "quarantine")).toBe(true);
    expect(await built(lake)).toBe("committed");
    expect(await published(lake)).toEqual(["a", "b"]);
    await lake.land("weather", [readings("c", "worse")]);
    expect(await built(lake)).toBe("committed");
    expect(await published(lake)).toEqual(["a", "b", "c"]);
    const [terms] = lake.d1.rows(
      "SELECT sum(events) AS events FROM ledger_outcomes WHERE topic = 'weather' AND term = 'quarantined'",
    );
    expect(terms).toEqual({ events: 2 });
  });

  test("discarded, stays as it was published and is not tried again until there is new input", async () => {
    const lake = await heldBack();
    expect(await decided(lake, "discard")).toBe(true);
    expect(meta(lake)).toEqual({ status: "DONE", error_message: null });
    expect(await built(lake)).toBe("nothing queued");
    lake.now += 3 * 86_400_000;
    expect(await built(lake)).toBe("nothing queued");
    expect(await published(lake)).toEqual(["a"]);
    await lake.land("weather", [readings("c")]);
    // After closing: late data, as any other.
    await lake.plan();
    expect(meta(lake)?.status).toBe("LATE");
    expect(await built(lake)).toBe("failed");
    await decided(lake, "quarantine");
    expect(await built(lake)).toBe("committed");
    expect([
      await published(lake),
      lake.d1.rows("SELECT revisions FROM partition_leases WHERE domain = 'weather'"),
    ]).toEqual([["a", "b", "c"], [{ revisions: 1 }]]);
  });

  test("is decided on only while it waits, and only by the run that was seen", async () => {
    const lake = await heldBack();
    lake.d1.rows("UPDATE partition_meta SET run_id = 'another' WHERE domain = 'weather'");
    const seen = {
      decision_id: "d",
      action: "accept",
      reason: "r",
      decided_by: "k",
      decided_at: "now",
      checks: [HELD],
    } as const;
    expect(await decide(lake.d1.binding, "weather", DAY, { ...seen, run_id: "run-0002" })).toBe(false);
    lake.d1.rows("UPDATE partition_leases SET run_id = 'another' WHERE domain = 'weather'");
    expect(await decided(lake, "accept")).toBe(false);
    lake.d1.rows("UPDATE partition_leases SET run_id = NULL, failure_class = 'system'");
    expect(await decided(lake, "accept")).toBe(false);
    lake.d1.rows("UPDATE partition_leases SET failure_class = 'data'");
    expect([await decided(lake, "accept"), await decided(lake, "discard")]).toEqual([true, true]);
    expect(meta(lake)?.status).toBe("DONE");
    expect(await decided(lake, "accept")).toBe(false);
  });
});

test("a quarantine needs a check that names rows of silver", () => {
  expect(noQuarantine(CHECK)).toBeUndefined();
  expect(noQuarantine({ ...CHECK, layer: "bronze" })).toContain("does not judge rows of silver");
  expect(noQuarantine({ ...CHECK, metric: "rowCount" })).toContain("counts rows");
});
