/** `sluice cost`: its formulas against days that were counted, and what the command prints. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MONTH_SECONDS, monthlyCost, platformCost, type TopicLoad } from "../../../../tools/cli/cost/estimate.ts";
import { command } from "../../../../tools/cli/cost.ts";
import { createHarness, type Harness } from "../../gateway/harness.ts";
import { printedBy } from "./printed-by.ts";

const DAY_MILLION: TopicLoad = {
  ...{
    eventsPerSecond: 12e6 / 86_400,
    eventsPerRequest: 100,
    eventBytes: 500,
    shards: 1,
    buildSeconds: 600,
    tables: 2,
  },
  flush: { ageSeconds: 60, rows: 100_000, bytes: 8_000_000 },
};
const QUIET: TopicLoad = { ...DAY_MILLION, eventsPerSecond: 1_000 / 86_400, eventsPerRequest: 1 };

/** A million events with the cron and the ledger. */
function perMillion(load: TopicLoad): number {
  return (monthlyCost(load).total + platformCost(load.buildSeconds)) / ((load.eventsPerSecond * MONTH_SECONDS) / 1e6);
}

describe("an estimate", () => {
  test("is what the page of sizes says", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../../../docs/scale.md"), "utf8");
    const number = (text = ""): number => Number(text.replaceAll(",", ""));
    const sizes = [...page.matchAll(/^\| ([\d,]+) \| ([\d,]+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|/gm)];
    expect(sizes.length).toBe(6);
    for (const [, events, second, shards, age, month, million] of sizes) {
      const eventsPerSecond = number(events) / 86_400;
      const { total } = monthlyCost({
        ...{
          eventsPerSecond,
          eventsPerRequest: 100,
          eventBytes: 350,
          shards: number(shards),
          buildSeconds: 600,
          tables: 2,
        },
        flush: { ageSeconds: number(age), rows: 100_000, bytes: 16_000_000 },
      });
      const told = [second, month, million].map(number);
      const perMillionEvents = (total * 1e6) / (eventsPerSecond * MONTH_SECONDS);
      expect(told).toEqual([
        Math.round(eventsPerSecond),
        Number(total.toFixed(2)),
        Number(perMillionEvents.toFixed(4)),
      ]);
    }
  });

  test("is within a fifth of what bench -- build-day counted", () => {
    const near = (counted: number, estimated: number) => expect(Math.abs(estimated / counted - 1)).toBeLessThan(0.2);
    const calm = (load: TopicLoad): TopicLoad => ({ ...load, flush: { ...load.flush, ageSeconds: 300 } });
    near(0.0212, perMillion(DAY_MILLION));
    near(0.0198, perMillion(calm(DAY_MILLION)));
    near(0.3967, (20 * monthlyCost(calm(QUIET)).total + platformCost(600)) / 30.4375);
  });

  test("falls with a longer flush age, fewer shards and rarer builds, and is nothing for a topic without events", () => {
    const { total } = monthlyCost(DAY_MILLION);
    const calm = { ...DAY_MILLION, flush: { ...DAY_MILLION.flush, ageSeconds: 300 } };
    expect(monthlyCost(calm).total).toBeLessThan(total);
    const eager = monthlyCost({ ...DAY_MILLION, buildSeconds: 60 });
    expect(monthlyCost(DAY_MILLION).builds).toBeLessThan(eager.builds / 5);
    expect(monthlyCost({ ...DAY_MILLION, shards: 2 }).total).toBeGreaterThan(total);
    expect(monthlyCost({ ...DAY_MILLION, eventsPerSecond: 0 }).total).toBe(0);
    expect(monthlyCost(calm).ageSeconds).toBe(30 + 300 + 600);
    // A shard that is never older than its thresholds allow flushes by them.
    const busy = { ...DAY_MILLION, eventsPerSecond: 50_000 };
    expect(monthlyCost(busy).flushes).toBeGreaterThan(monthlyCost(DAY_MILLION).flushes * 10);
  });
});

describe("the command", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = createHarness();
    vi.stubGlobal("fetch", (url: URL, init: RequestInit) => harness.bare(`${url.pathname}${url.search}`, init));
    harness.db.sqlite.exec(
      "INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events) VALUES ('orders', 0, 1, 'i', '2026-11-21T11:00:00Z', '', 1200000)",
    );
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("prints every topic at its rate of the last day, and what would be saved", async () => {
    const said = await printedBy(command, "--shards 4");
    expect(said).toMatch(/orders +1200000 +4 .* \$\d+\.\d\d +\$0\.\d{4}/);
    expect(said).toMatch(/weather +0 +4 /);
    expect(said).toMatch(/What would be saved a month\n.*one shard/);
    expect(said).toMatch(/All: \$\d+\.\d\d a month/);
    const json = JSON.parse(await printedBy(command, "--topic orders --events-per-day 86400 --build-every 600 --json"));
    expect(json.topics).toMatchObject([{ topic: "orders", eventsPerSecond: 1, buildSeconds: 600, tables: 2 }]);
  });

  test("wrong usage", async () => {
    await expect(printedBy(command, "--topic nope")).rejects.toThrow(/no topic "nope".*orders/);
    await expect(printedBy(command, "--shards 0")).rejects.toThrow(/--shards takes a whole number/);
  });
});
