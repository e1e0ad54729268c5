/**
 * P5, P7 and the fences by random schedules: whatever input comes, whoever plans twice, crashes, stalls or asks in between,
 * when all is quiet every published version was built from all its inputs, and nothing ran on an old fence.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { longOrShare } from "../long-share.ts";
import { Catalog, DATES, type Ending, POLICY, WAITING } from "./planner/catalog.ts";

type Op =
  | { readonly do: "input"; readonly date: string }
  | { readonly do: "tick" | "twoTicks" | "readPlan" | "applyPlan" }
  | { readonly do: "deliver"; readonly n: number; readonly again: boolean }
  /** A tick, and all that it queued built with one ending: what mostly happens. */
  | { readonly do: "round"; readonly ending: Ending }
  /** A build that looks up its inputs, and then another comes. */
  | { readonly do: "overtaken"; readonly date: string }
  | { readonly do: "read"; readonly n: number }
  | { readonly do: "end"; readonly n: number; readonly ending: Ending }
  | { readonly do: "loseMessages" }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "operator" | "forget"; readonly domain: string; readonly from: string }
  | { readonly do: "backfill"; readonly domain: string; readonly maxActive: number };

const MINUTE = 60_000;
const n = fc.nat(5);
const date = fc.constantFrom(...DATES);
const ending = fc.constantFrom<Ending>(
  "commit",
  "commit",
  "commit",
  "commitAnswerLost",
  "commitRefused",
  "data",
  "system",
  "crash",
);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("input" as const), date }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("tick" as const, "tick" as const, "twoTicks" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("readPlan" as const, "applyPlan" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("deliver" as const), n, again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("read" as const), n }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("round" as const), ending }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("overtaken" as const), date }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("end" as const), n, ending }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("loseMessages" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.constantFrom(20_000, 2 * MINUTE, 17 * MINUTE, 17 * MINUTE, 13 * 60 * MINUTE),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("operator" as const, "operator" as const, "forget" as const),
      domain: fc.constantFrom("src", "agg"),
      from: date,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("backfill" as const),
      domain: fc.constantFrom("src", "agg"),
      maxActive: fc.constantFrom(1, 2),
    }),
  },
);

/** Builders that die one after another: random schedules seldom have so many. */
const CRASHES: Op[] = [
  { do: "input", date: DATES[0] },
  ...Array.from({ length: POLICY.maxRetries + 2 }, (): Op[] => [
    { do: "round", ending: "crash" },
    { do: "advance", ms: 17 * MINUTE },
  ]).flat(),
  { do: "tick" },
];

async function play(catalog: Catalog, ops: readonly Op[]): Promise<void> {
  for (const one of ops) {
    switch (one.do) {
      case "input":
        await catalog.input(one.date);
        break;
      case "tick":
        await catalog.tick();
        break;
      case "twoTicks":
        await Promise.all([catalog.tick(), catalog.tick()]);
        break;
      case "readPlan":
        await catalog.readPlan();
        break;
      case "applyPlan":
        await catalog.applyPlan();
        break;
      case "deliver":
        await catalog.deliver(one.n, one.again);
        break;
      case "read":
        await catalog.read(one.n);
        break;
      case "overtaken":
        await catalog.tick();
        await catalog.deliver(0, false);
        await catalog.read(catalog.builders.length - 1);
        await catalog.input(one.date);
        await catalog.end(catalog.builders.length - 1, "commit");
        break;
      case "round":
        await catalog.tick();
        await drain(catalog, one.ending);
        break;
      case "end":
        await catalog.end(one.n, one.ending);
        break;
      case "loseMessages":
        catalog.queue.length = 0;
        break;
      case "advance":
        catalog.now += one.ms;
        break;
      case "operator":
        catalog.operator(one.domain, one.from, DATES[1]);
        break;
      case "forget":
        catalog.forget(one.domain, one.from);
        break;
      case "backfill":
        await catalog.backfill(one.domain, one.maxActive);
    }
  }
}

async function drain(catalog: Catalog, ending: Ending): Promise<void> {
  while (catalog.queue.length > 0) {
    await catalog.deliver(0, false);
    await catalog.end(catalog.builders.length - 1, ending);
  }
}

/** No more faults: ticks every minute, each message built, until a tick finds nothing to do for longer than any lease or backoff. */
async function settle(catalog: Catalog): Promise<void> {
  catalog.builders.length = 0;
  let quiet = 0;
  for (let minutes = 0; quiet < 35; minutes++) {
    if (minutes > 400) throw new Error("the planner never comes to rest");
    catalog.now += MINUTE;
    quiet = (await catalog.tick()) === 0 && catalog.queue.length === 0 ? quiet + 1 : 0;
    await drain(catalog, "commit");
  }
}

const DIAGRAM = new Set([
  "PENDING>IN_FLIGHT",
  "RETRYING>IN_FLIGHT",
  "REPROCESSING>IN_FLIGHT",
  "IN_FLIGHT>DONE",
  "IN_FLIGHT>FAILED",
  "IN_FLIGHT>RETRYING",
  "IN_FLIGHT>DEAD",
  "FAILED>RETRYING",
  "FAILED>DEAD",
  "DONE>PENDING",
  "DONE>LATE",
  "LATE>REPROCESSING",
]);
/** A person or a backfill asks for them; how often schedules meet them is left to chance. */
const ASKED = new Set(["FAILED>PENDING", "DEAD>PENDING"]);

function judgeTransitions(catalog: Catalog): Map<string, number> {
  const seen = catalog.d1.rows<{
    domain: string;
    date: string;
    from: string;
    to: string;
    retry_count: number;
    now: number;
    news: number | null;
    changed_at: number;
  }>("SELECT * FROM seen");
  const counts = new Map<string, number>();
  for (const { domain, date, from, to, retry_count, now, news, changed_at } of seen) {
    const transition = `${from}>${to}`;
    if (ASKED.has(transition)) continue;
    expect(DIAGRAM).toContain(transition);
    counts.set(transition, (counts.get(transition) ?? 0) + 1);
    if (to === "DEAD") expect(retry_count).toBeGreaterThanOrEqual(POLICY.maxRetries);
    const closesAt = POLICY.closesAt(domain, date);
    const closed = closesAt <= now;
    if (transition === "DONE>LATE") expect(closed).toBe(true);
    // After closing a replay leads here, whose version has all rows already, or what came before and was kept waiting.
    if (transition === "DONE>PENDING" && closed && changed_at >= closesAt) expect(news).toBe(0);
  }
  return counts;
}

async function judgeVersions(catalog: Catalog): Promise<void> {
  for (const domain of ["src", "agg"]) {
    for (const date of DATES) {
      const meta = catalog.d1.rows<{ status: string }>(
        "SELECT status FROM partition_meta WHERE domain = ? AND partition_date = ?",
        domain,
        date,
      )[0];
      const inputs = await catalog.inputsAlike(domain, date);
      expect(meta !== undefined).toBe((inputs[0]?.rows ?? 0) > 0);
      if (meta === undefined) continue;
      expect(meta.status).toBe("DONE");
      const published = catalog.d1.rows(
        `SELECT v.rows, v.seen, v.digest FROM published p JOIN versions v USING (table_name, version)
         WHERE p.table_name = ? AND p.partition_date = ?`,
        `silver_${domain}`,
        date,
      );
      expect(published).toHaveLength(1);
      expect(inputs).toContainEqual(published[0]);
      const files = catalog.d1.rows<{ n: number }>(
        "SELECT count(*) AS n FROM data_files WHERE table_name = ? AND partition_date = ? AND removed IS NULL",
        `silver_${domain}`,
        date,
      );
      expect(files).toEqual([{ n: 1 }]);
    }
  }
}

/** Every partition was judged as a whole, and a build was queued for that once at the most, only where nothing else was to be built. */
function judgeClosings(catalog: Catalog): number {
  expect(catalog.d1.rows("SELECT domain FROM partition_leases WHERE awaits_closing <> 0")).toEqual([]);
  const closings = catalog.d1.rows<{ n: number; news: number }>(
    "SELECT count(*) AS n, max(news) AS news FROM closings GROUP BY domain, date",
  );
  for (const closing of closings) expect(closing).toEqual({ n: 1, news: 0 });
  return closings.length;
}

describe("planner, leases and commits under faults", () => {
  test("at rest every version is of all its inputs; only the diagram's transitions; only the newest fence publishes", async () => {
    const met = new Map<string, number>();
    let closings = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 10, maxLength: 60, size: "max" }),
        fc.boolean(),
        async (ops, waits) => {
          const catalog = new Catalog(waits ? WAITING : POLICY);
          await play(catalog, ops);
          await settle(catalog);
          // What waits for somebody, as it should: a data failure for other input, a dead partition for the operator.
          const waiting = catalog.d1.rows<{ status: string }>(
            "SELECT DISTINCT status FROM partition_meta WHERE status <> 'DONE'",
          );
          for (const { status } of waiting) expect(["FAILED", "DEAD"]).toContain(status);
          for (const domain of ["src", "agg"]) {
            const open = catalog.d1.rows("SELECT 1 FROM partition_meta WHERE domain = ? AND status <> 'DONE'", domain);
            if (open.length > 0) catalog.operator(domain, DATES[0], DATES[1]);
          }
          await settle(catalog);
          await judgeVersions(catalog);
          expect(catalog.openBackfills()).toEqual([]);
          for (const [transition, count] of judgeTransitions(catalog))
            met.set(transition, (met.get(transition) ?? 0) + count);

          const revisions = catalog.d1.rows(
            `SELECT l.domain, l.partition_date FROM partition_leases l
           WHERE revisions <> (SELECT count(*) FROM seen WHERE seen.domain = l.domain AND seen.date = l.partition_date AND "to" = 'LATE') OR late <> 0`,
          );
          expect(revisions).toEqual([]);
          expect(catalog.d1.rows("SELECT run_id FROM run_history WHERE status = 'RUNNING'")).toEqual([]);
          catalog.now += 48 * 60 * MINUTE;
          await settle(catalog);
          await judgeVersions(catalog);
          closings += judgeClosings(catalog);
          catalog.now += 48 * 60 * MINUTE;
          expect(await catalog.tick()).toBe(0);
          expect(await catalog.tick()).toBe(0);
        },
      ),
      { numRuns: longOrShare(400, 25), examples: [[CRASHES, false]] },
    );
    expect([...met.keys()].sort()).toEqual([...DIAGRAM].sort());
    expect(closings).toBeGreaterThan(0);
  });

  test("a domain that this deploy does not know is left alone", async () => {
    const catalog = new Catalog();
    catalog.d1.rows(
      "INSERT INTO partition_inputs (domain, partition_date, version) VALUES ('unknown', '2026-11-01', 1)",
    );
    expect(await catalog.tick()).toBe(0);
    expect(catalog.d1.rows("SELECT * FROM partition_meta")).toEqual([]);
  });
});
