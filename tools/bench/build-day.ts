/** What a day costs, and whether its last hour costs what the first did: twelve million events of one topic, and quiet topics. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { priced } from "../prices.ts";
import type { Bench } from "./bench.ts";
import { BUSY_EVENTS, type BusyDay, busyDay, CLOSING_HOURS } from "./build-day/busy-day.ts";
import { BUSY_TOPIC, benchProject } from "./build-day/project.ts";
import { QUIET_EVENTS, QUIET_TOPICS, quietDay } from "./build-day/quiet-day.ts";
import { cpuDollars, dollarsOf, figuresOf, type HourFigures, total, type Usage } from "./build-day/usage.ts";
import { startVirtualPlatform, type VirtualPlatform } from "./build-day/virtual-platform.ts";

const GROWTH_BUDGET = 1.2;
const DOLLARS_PER_MILLION = 0.025;
const DOLLARS_PER_MILLION_AT_5_MINUTES = 0.02;
const QUIET_DOLLARS_A_DAY = 0.4;
/** The hours of the day that go through the gateway, by their numbers; the environment's HOURS=all is all of them. */
const SAMPLED = [0, 12, 23];
const HOURS_AT_5_MINUTES = 2;
const QUIET_HOURS = 3;
/** Any day: the clock is the bench's. */
const DAY = Date.parse("2026-03-18T00:00:00Z");

export const bench: Bench = {
  explanation: `A day of ${BUSY_EVENTS.toLocaleString("en")} events of ${BUSY_TOPIC} at 139 a second, 100 a request, 500 bytes each, with a contract that says nothing that has a default, and a gold table.
The real bundle runs in workerd on a clock that the bench sets: its isolate's, D1's, the queues' waits, the objects' alarms and the cron follow it, so that a day passes as fast as it is
worked through. Bindings count what Cloudflare bills. Before the day comes an hour of the one before, after it ${CLOSING_HOURS} in which it closes. Hours ${SAMPLED.map((hour) => hour + 1).join(", ")} go through the gateway; the others
repeat the messages of a minute with other ids and times (SAMPLED_HOURS=all for none). Growth: what the last hour takes of CPU, R2 operations, D1 rows and bytes written, to the first; budget ${GROWTH_BUDGET}.
The bill is that of 24 hours and of the closing: operations by the price list (tools/prices.ts), and CPU, workerd's with its simulation of D1 and R2. Budget $${DOLLARS_PER_MILLION} per million events; with a
flush age of five minutes, of which ${HOURS_AT_5_MINUTES} hours are run, $${DOLLARS_PER_MILLION_AT_5_MINUTES}. ${QUIET_TOPICS} topics as \`sluice new-topic\` makes them, of ${QUIET_EVENTS} events a day in requests of their own: ${QUIET_HOURS} hours after one before, times eight; $${QUIET_DOLLARS_A_DAY} a day.`,
  async run(log) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-build-day-"));
    const onError = (line: string) => log(`the Worker: ${line.slice(0, 300)}`);
    let started = 0;
    async function on<T>(
      project: Awaited<ReturnType<typeof benchProject>>,
      flushAge: number,
      work: (platform: VirtualPlatform) => Promise<T>,
    ) {
      const platform = await startVirtualPlatform(project, join(folder, `platform-${started++}`), flushAge, onError);
      try {
        return await work(platform);
      } finally {
        await platform.stop();
      }
    }
    try {
      const project = await benchProject(join(folder, "project"), QUIET_TOPICS);
      const all = process.env["SAMPLED_HOURS"] === "all";
      const sampled = new Set(all ? Array.from({ length: 24 }, (_, hour) => hour) : SAMPLED);
      const hours = Number(process.env["HOURS"] ?? 24);
      const busy = await on(project, 0, async (platform) => {
        const day = await busyDay(platform, DAY, hours, new Set([...sampled, 0, hours - 1]), log);
        await demandAll(platform, day.sent);
        return day;
      });
      report("the day, by cause", [...busy.hours.map(({ usage }) => usage), busy.closing], log);
      const growth = growthOf(busy, log);
      const perMillion = dollarsPerMillion(busy, log);

      const slow = await on(project, 300, (platform) =>
        busyDay(platform, DAY, HOURS_AT_5_MINUTES, new Set([0, 1]), log),
      );
      const perMillionSlow = dollarsPerMillion(slow, log);

      const quiet = await on(project, 0, (platform) => quietDay(platform, DAY, QUIET_HOURS, log));
      report("quiet topics, by cause", quiet.hours, log);
      const quietDollars = quiet.hours.reduce(
        (sum, usage) => sum + dollarsOf(total(usage).operations) + cpuDollars(usage.cpuMs),
        0,
      );
      const quietADay = (quietDollars * 24) / QUIET_HOURS;
      log(`${QUIET_TOPICS} quiet topics: $${quietADay.toFixed(3)} a day`);

      const ratio = Math.max(
        growth / GROWTH_BUDGET,
        perMillion / DOLLARS_PER_MILLION,
        perMillionSlow / DOLLARS_PER_MILLION_AT_5_MINUTES,
        quietADay / QUIET_DOLLARS_A_DAY,
      );
      return {
        ratio,
        budget: 1,
        ok: ratio <= 1,
        growth,
        dollars_per_million: perMillion,
        dollars_per_million_flushed_each_5_minutes: perMillionSlow,
        quiet_dollars_a_day: quietADay,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Every event is in silver once, and the gold table counts it. */
async function demandAll(platform: VirtualPlatform, sent: number): Promise<void> {
  const [built] = await platform.query(
    `SELECT sum(silver_records) AS silver, min(status) AS low, max(status) AS high FROM partition_meta WHERE domain = '${BUSY_TOPIC}'`,
  );
  if (built?.["silver"] !== sent || built["low"] !== "DONE" || built["high"] !== "DONE")
    throw new Error(`${sent} events were sent, silver has ${JSON.stringify(built)}`);
}

function growthOf({ hours }: BusyDay, log: (line: string) => void): number {
  const [first, last] = [hours[0], hours.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a day without hours");
  const [before, after] = [figuresOf(first.usage), figuresOf(last.usage)];
  const names: readonly (keyof HourFigures)[] = [
    "cpuMs",
    "r2Operations",
    "d1RowsWritten",
    "d1RowsRead",
    "bytesWritten",
  ];
  const ratios = names.map((name) => {
    const ratio = after[name] / before[name];
    log(
      `${name.padEnd(16)} hour ${first.hour + 1}: ${whole(before[name])}, hour ${last.hour + 1}: ${whole(after[name])}, ${ratio.toFixed(2)} times`,
    );
    return ratio;
  });
  return Math.max(...ratios);
}

/** Of a whole day, of which `hours` are taken as its mean. CPU is that of the hours which went through the gateway. */
function dollarsPerMillion({ hours, closing }: BusyDay, log: (line: string) => void): number {
  const sampled = hours.filter((hour) => hour.sampled);
  const cpuMs = mean(sampled.map(({ usage }) => usage.cpuMs));
  const operations = mean(hours.map(({ usage }) => dollarsOf(total(usage).operations)));
  const closed = dollarsOf(total(closing).operations) + cpuDollars(closing.cpuMs);
  const perMillion = (24 * (operations + cpuDollars(cpuMs)) + closed) / (BUSY_EVENTS / 1e6);
  const ofCpu = (24 * cpuDollars(cpuMs)) / (BUSY_EVENTS / 1e6);
  const microseconds = (24_000 * cpuMs) / BUSY_EVENTS;
  log(
    `a million events: $${perMillion.toFixed(4)}, of it CPU $${ofCpu.toFixed(4)} (${microseconds.toFixed(1)} us an event)`,
  );
  return perMillion;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Counts and dollars of each cause. */
function report(title: string, spans: readonly Usage[], log: (line: string) => void): void {
  const causes = new Set(spans.flatMap(({ causes }) => [...causes.keys()]));
  log(title);
  for (const cause of [...causes].sort()) {
    const counts = total({
      causes: new Map(
        spans.flatMap((span, number) => {
          const own = span.causes.get(cause);
          return own === undefined ? [] : [[String(number), own] as const];
        }),
      ),
    });
    const told = priced(counts.operations).filter(({ count }) => Math.round(count) > 0);
    const list = told.map(({ operation, count }) => `${operation} ${whole(count)}`).join(", ");
    const megabytes = (counts.bytesWritten / 1e6).toFixed(1);
    log(`  ${cause.padEnd(24)} $${dollarsOf(counts.operations).toFixed(5)}  ${list}, ${megabytes} MB written`);
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
