import { beforeEach, describe, expect, test } from "vitest";
import { planTransitions } from "../../../../../lakehouse/builds/planning/planner.ts";
import { acquireLease } from "../../../../../sql/statements/leases.ts";
import { activePartitions, applyTransition } from "../../../../../sql/statements/partitions.ts";
import { Catalog, DATES, LEASE_MS, POLICY } from "../../../../property/planner/catalog.ts";

const [date] = DATES;

/** A partition whose build was queued, with one builder at work. */
async function atWork(): Promise<Catalog> {
  const catalog = new Catalog();
  await catalog.input(date);
  await catalog.tick();
  await catalog.deliver(0, true);
  return catalog;
}

function statusOf(catalog: Catalog): string | undefined {
  return catalog.d1.rows<{ status: string }>("SELECT status FROM partition_meta WHERE domain = 'src'")[0]?.status;
}

function runs(catalog: Catalog) {
  return catalog.d1.rows<{ run_id: string; status: string }>("SELECT run_id, status FROM run_history ORDER BY run_id");
}

describe("leases", () => {
  let catalog: Catalog;
  beforeEach(async () => {
    catalog = await atWork();
  });
  /** A message of its own for the same partition, as its place in the queue. */
  function another(): number {
    return catalog.queue.push({ domain: "src", date, nonce: `another-${catalog.queue.length}` }) - 1;
  }

  test("a message that comes again takes over from the builder of its earlier delivery, which publishes nothing any more", async () => {
    await catalog.deliver(0, true);
    expect(runs(catalog)).toEqual([
      { run_id: "run-0", status: "LOST" },
      { run_id: "run-1", status: "RUNNING" },
    ]);
    await catalog.end(0, "commit");
    expect([catalog.d1.rows("SELECT * FROM published"), statusOf(catalog)]).toEqual([[], "IN_FLIGHT"]);
    await catalog.end(0, "commit");
    expect(statusOf(catalog)).toBe("DONE");
    // Neither of them is asked any more: the message that comes once more finds nothing to do.
    await catalog.deliver(0, true);
    expect([catalog.builders, statusOf(catalog)]).toEqual([[], "DONE"]);
  });

  test("a message takes no lease over that another took, nor does one without a nonce", async () => {
    await catalog.deliver(another(), false);
    await catalog.deliver(catalog.queue.push({ domain: "src", date }) - 1, false);
    expect(catalog.builders.map(({ lease }) => lease.runId)).toEqual(["run-0"]);
  });

  test("a lease that ran out is taken over before the planner has seen it; then the planner leaves it alone", async () => {
    catalog.now += LEASE_MS + 1;
    await catalog.readPlan();
    await catalog.deliver(0, true);
    await catalog.applyPlan();
    expect(await catalog.tick()).toBe(0);
    expect(statusOf(catalog)).toBe("IN_FLIGHT");
    await catalog.end(1, "commit");
    expect(statusOf(catalog)).toBe("DONE");
  });

  test("builders that vanish are counted, however that is found, until one comes to its end", async () => {
    const vanished = () =>
      catalog.d1.rows<{ n: number }>("SELECT vanished AS n FROM partition_leases WHERE domain = 'src'")[0]?.n;
    await catalog.deliver(0, true);
    expect(vanished()).toBe(1);
    catalog.now += LEASE_MS + 1;
    await catalog.tick();
    expect([vanished(), statusOf(catalog)]).toEqual([2, "RETRYING"]);
    await catalog.deliver(1, false);
    await catalog.end(2, "commit");
    expect(vanished()).toBe(0);
  });

  test("one builder at a time, even when an operator asks for another build", async () => {
    await catalog.deliver(another(), false);
    catalog.operator("src", date, date);
    await catalog.deliver(another(), false);
    expect(catalog.builders).toHaveLength(1);
    await catalog.end(0, "commit");
    // The operator asked while it ran: once more.
    expect(statusOf(catalog)).toBe("PENDING");
    expect(await catalog.tick()).toBe(2); // src again, agg for the first time
  });

  test("the build that an operator starts after a crash ends the one that never came back", async () => {
    catalog.builders.length = 0;
    catalog.operator("src", date, date);
    catalog.now += LEASE_MS + 1;
    await catalog.deliver(0, true);
    expect(runs(catalog)).toEqual([
      { run_id: "run-0", status: "LOST" },
      { run_id: "run-1", status: "RUNNING" },
    ]);
  });

  test("a builder that was declared lost does not publish, though nobody has taken its place", async () => {
    catalog.now += LEASE_MS + 1;
    await catalog.tick();
    expect(statusOf(catalog)).toBe("RETRYING");
    await catalog.end(0, "commit");
    expect(catalog.d1.rows("SELECT * FROM published")).toEqual([]);
    expect(statusOf(catalog)).toBe("RETRYING");
    expect(runs(catalog)).toEqual([{ run_id: "run-0", status: "LOST" }]);
  });

  test("a slow tick does not take the partition from the builder that came after it had looked", async () => {
    catalog.now += LEASE_MS + 1;
    await catalog.readPlan(); // Sees an expired lease,
    await catalog.tick(); // as this one does, and turns it.
    await catalog.deliver(0, true);
    await catalog.applyPlan();
    expect(statusOf(catalog)).toBe("IN_FLIGHT");
    expect(runs(catalog)).toEqual([
      { run_id: "run-0", status: "LOST" },
      { run_id: "run-1", status: "RUNNING" },
    ]);
    await catalog.end(1, "commit");
    expect(statusOf(catalog)).toBe("DONE");
  });

  test("input that came after the builder had looked is built by the next", async () => {
    await catalog.read(0);
    await catalog.input(date);
    await catalog.end(0, "commit");
    expect(planTransitions((await activePartitions(catalog.d1.binding)).rows, POLICY)).toContainEqual(
      expect.objectContaining({ domain: "src", from: "DONE", to: "PENDING", queue: true }),
    );
  });

  test("system failures back off, longer each time, and end DEAD after the retries", async () => {
    const waits: number[] = [];
    for (;;) {
      await catalog.end(0, "system");
      const row = catalog.d1.rows<{ not_before: number }>(
        "SELECT not_before FROM partition_leases WHERE domain = 'src'",
      )[0];
      waits.push((row?.not_before ?? 0) - catalog.now);
      catalog.now = row?.not_before ?? 0;
      await catalog.tick();
      if (statusOf(catalog) === "DEAD") break;
      await catalog.deliver(0, true);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000]);
    expect(await catalog.tick()).toBe(0);
  });

  test("a transition that was decided on another status changes nothing, its lease row included", async () => {
    const before = catalog.d1.rows("SELECT * FROM partition_leases");
    const kept = { retryCount: 0, queue: true, closing: false };
    const change = { domain: "src", date, from: "PENDING", to: "PENDING", fence: 1, ...kept };
    catalog.now += 1_000;
    await catalog.d1.binding.batch(applyTransition(catalog.d1.binding, change));
    expect(catalog.d1.rows("SELECT * FROM partition_leases")).toEqual(before);
  });

  test("nothing to lease where nothing waits", async () => {
    const wanted = { domain: "src", date, runId: "run", nonce: "another", leaseMs: LEASE_MS };
    expect(await acquireLease(catalog.d1.binding, { ...wanted, date: DATES[1] })).toBeUndefined();
    expect(await acquireLease(catalog.d1.binding, wanted)).toBeUndefined();
    expect(await acquireLease(catalog.d1.binding, { ...wanted, nonce: null })).toBeUndefined();
  });
});
