/** Why a partition waits, in words, for every state and what it hangs on. */
import { describe, expect, test } from "vitest";
import { PARTITION_STATUSES } from "../../../../lakehouse/builds/planning/machine.ts";
import { explain, isHeldBack } from "../../../../lakehouse/lookups/partitions/waits.ts";
import type { PartitionFacts } from "../../../../sql/statements/partition-list.ts";
import { tableOf } from "../../../oracle/lake.ts";

const NOW = Date.UTC(2026, 10, 21, 12);

function facts(changes: Partial<PartitionFacts>): PartitionFacts {
  return {
    ...{ domain: "orders", partition_date: "2026-11-21", status: "PENDING", run_id: null, error_message: null },
    ...{ record_count: 0, silver_records: 0, gold_records: 0, retry_count: 0, revisions: 0, fence: 1 },
    ...{ pinned_version: null, pinned_reason: null, stale: false, sealed: false },
    ...{ steps: 0, unread_rows: 0, vanished: 0, splits: 0, awaits_closing: false },
    ...{ created_at: null, updated_at: null, processed_at: null, version: 1, built_version: 1, failed_version: null },
    ...{
      failure_class: null,
      lease_run: null,
      lease_since: null,
      lease_until: 0,
      queued_at: 0,
      not_before: 0,
      now: NOW,
    },
    ...{ native_reason: null, native_phase: null, native_done: null, builder_seen: 0 },
    ...changes,
  };
}

const said = (changes: Partial<PartitionFacts>, domain = "orders") => {
  const { waits, remedy } = explain(facts(changes), tableOf(domain));
  return remedy === null ? waits : `${waits} -> ${remedy}`;
};

test("every state has words of its own", () => {
  const words = PARTITION_STATUSES.map((status) => said({ status }));
  expect(new Set(words).size).toBe(PARTITION_STATUSES.length);
  for (const each of words) expect(each).not.toContain("no state that the planner knows");
  expect(said({ status: "BUILDING" })).toContain('"BUILDING" is no state that the planner knows');
  expect(explain(facts({}), undefined).waits).toContain("builds no such table");
});

describe("a build that waits", () => {
  test.each([
    [{}, "a build: the planner queues it within a minute"],
    [{ queued_at: NOW - 9_000 }, "a build: it was queued 9 s ago, and begins when a builder is free"],
    [{ queued_at: NOW - 700_000 }, /queued 700 s ago.* -> no builder took it for ten minutes/],
    [{ status: "RETRYING", retry_count: 2, not_before: NOW + 60_000 }, "retry 2 of 5, not before 2026-11-21T12:01:00Z"],
    [{ lease_run: "r", lease_until: NOW + 1 }, /the end of run r, which had begun before/],
    [
      { status: "IN_FLIGHT", lease_run: "r", lease_since: "t", lease_until: NOW + 1_000 },
      /run r, which builds it since t/,
    ],
    [{ status: "IN_FLIGHT", lease_run: "r", lease_until: NOW - 1 }, /its builder is gone/],
  ] as const)("%j", (changes, text) => {
    if (typeof text === "string") expect(said(changes)).toBe(text);
    else expect(said(changes)).toMatch(text);
  });
});

describe("a build that waits for a native builder", () => {
  const domain = "daily_order_revenue";
  const native = { domain, native_reason: "it reads 9,000,000 rows", queued_at: NOW - 9_000 };
  test.each([
    [
      { builder_seen: NOW - 60_000 },
      "a build by a native builder (it reads 9,000,000 rows): the next one that asks takes it",
    ],
    [{}, /^NEEDS_NATIVE_BUILDER: .* none was heard from in the last day -> start one: npx sluice builder --url URL/],
    [{ builder_seen: NOW - 301_000 }, /^NEEDS_NATIVE_BUILDER: .* none was heard from since 2026-11-21T11:54:59Z -> /],
    [{ status: "RETRYING", retry_count: 1, not_before: NOW + 1_000 }, /^retry 1 of 5, not before/],
    [
      { status: "IN_FLIGHT", lease_run: "r", lease_until: NOW + 1, native_phase: "run", native_done: 0.429 },
      /^run r, which a native builder builds \(run, 42 %\); if it dies, another one gets it at /,
    ],
    [{ status: "IN_FLIGHT", lease_run: "r", lease_until: NOW + 1 }, /^run r, which a native builder builds; if/],
  ] as const)("%j", (changes, text) => {
    if (typeof text === "string") expect(said({ ...native, ...changes }, domain)).toBe(text);
    else expect(said({ ...native, ...changes }, domain)).toMatch(text);
  });
});

test("what is of an older generation waits for its turn, or stays so", () => {
  const done = { status: "DONE", stale: true };
  expect(said(done)).toMatch(/newer contract or model/);
  expect(said({ ...done, sealed: true })).toMatch(/bronze is retired/);
  expect(said({ ...done, stale: false, sealed: true })).toMatch(/built with all its inputs/);
});

test("news waits as the contract, or what comes late, lets it wait", () => {
  expect(said({ status: "UNDISCOVERED" })).toMatch(/waited 10 minutes .* or 100,000 rows have come$/);
  expect(said({ status: "DONE", version: 2 })).toMatch(/^new input has arrived: .* 10 minutes/);
  expect(said({ status: "LATE" })).toMatch(/waited 60 minutes .* or 1,000 rows have come$/);
  const revenue = { domain: "daily_order_revenue", status: "DONE", version: 2 };
  expect(said(revenue, revenue.domain)).toMatch(/takes it up within a minute$/);
});

describe("a build that ended", () => {
  test.each([
    [{ status: "DONE" }, "nothing: it is built with all its inputs"],
    [
      { status: "DONE", version: 3, failed_version: 3 },
      "new input: what its last build was held back with was discarded",
    ],
    [{ status: "DONE", version: 3 }, /new input has arrived/],
    [
      { status: "FAILED", failure_class: "system", retry_count: 1, error_message: "D1 is away" },
      /retry 2 of 5 within a minute, after: D1 is away$/,
    ],
    [
      { status: "FAILED", failure_class: "data", error_message: "CorruptParquetError: x" },
      /a person, since the same data.*CorruptParquetError: x -> see to the cause, then: sluice backfill --table silver_orders --from 2026-11-21 --to 2026-11-21 --reprocess failed/,
    ],
    [
      { status: "FAILED", failure_class: "data", error_message: "QualityGateError: x" },
      /accept\|quarantine\|discard silver_orders 2026-11-21 --reason TEXT/,
    ],
    [
      { status: "DEAD", error_message: "x" },
      /5 retries failed, the last with: x -> see to the cause, then: sluice backfill/,
    ],
  ] as const)("%j", (changes, text) => {
    if (typeof text === "string") expect(said(changes)).toBe(text);
    else expect(said(changes)).toMatch(text);
  });

  test("gold has no quarantine", () => {
    const held = { status: "FAILED", failure_class: "data", error_message: "QualityGateError: x" } as const;
    expect(said({ ...held, domain: "daily_order_revenue" }, "daily_order_revenue")).toContain(
      "partitions accept|discard daily",
    );
    expect([isHeldBack(facts(held)), isHeldBack(facts({ ...held, status: "DONE" }))]).toEqual([true, false]);
  });
});
