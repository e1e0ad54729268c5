/** What a day costs, and whether its last hour costs what the first did: twelve million events of one topic, and quiet topics. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Bench } from "./bench.ts";
import { BUSY_EVENTS, busyDay, CLOSING_HOURS } from "./build-day/busy-day.ts";
import { BUSY_TOPIC, benchProject } from "./build-day/project.ts";
import { QUIET_EVENTS, QUIET_TOPICS, quietDay } from "./build-day/quiet-day.ts";
import { dollarsADay, dollarsPerMillion, growthOf, reportCauses, reportStatements } from "./build-day/report.ts";
import { startVirtualPlatform, type VirtualPlatform } from "./build-day/virtual-platform.ts";

/** What is run, each on a platform of its own; named on the command line, else all. */
const PARTS = ["busy", "slow", "quiet"] as const;
type Part = (typeof PARTS)[number];

const BUDGETS = {
  growth: 1.2,
  dollars_per_million: 0.025,
  dollars_per_million_flushed_each_5_minutes: 0.02,
  quiet_dollars_a_day: 0.4,
} as const;
type Figures = Partial<Record<keyof typeof BUDGETS, number>>;

/** The hours of the day that go through the gateway, by their numbers, beside the first and the last. */
const SAMPLED = [12];
const HOURS_AT_5_MINUTES = 2;
const QUIET_HOURS = 3;
/** Any day: the clock is the bench's. */
const DAY = Date.parse("2026-03-18T00:00:00Z");

export const bench: Bench = {
  explanation: `A day of ${BUSY_EVENTS.toLocaleString("en")} events of ${BUSY_TOPIC} at 139 a second, 100 a request, 500 bytes each, with a contract that says nothing that has a default, and a gold table.
The real bundle runs in workerd on a clock that the bench sets: its isolate's, D1's, the queues' waits, the objects' alarms and the cron follow it, so that a day passes as fast as it is
worked through. Bindings count what Cloudflare bills. Before the day comes an hour of the one before, after it ${CLOSING_HOURS} in which it closes. Hours 1, ${SAMPLED.map((hour) => hour + 1).join(", ")} and 24 go through the gateway; the others
repeat the messages of a minute with other ids and times (--all: none does). Growth: what the last hour takes of CPU, R2 operations, D1 rows and bytes written, to the first; budget ${BUDGETS.growth}.
The bill is that of 24 hours and of the closing: operations by the price list (tools/prices.ts), and CPU, workerd's with its simulation of D1 and R2. Budget $${BUDGETS.dollars_per_million} per million events; with a
flush age of five minutes, of which ${HOURS_AT_5_MINUTES} hours are run, $${BUDGETS.dollars_per_million_flushed_each_5_minutes}. ${QUIET_TOPICS} topics as \`sluice new-topic\` makes them, of ${QUIET_EVENTS} events a day in requests of their own: ${QUIET_HOURS} hours after one before, times eight; $${BUDGETS.quiet_dollars_a_day} a day.
One part of it: npm run bench -- build-day ${PARTS.join("|")}; a shorter day: --hours N; rows by statement: --statements.`,
  async run(log, args) {
    const { parts, hours, all, statements } = readArguments(args);
    const folder = mkdtempSync(join(tmpdir(), "sluice-build-day-"));
    try {
      const project = await benchProject(join(folder, "project"), QUIET_TOPICS);
      const on = async (part: Part, flushAgeSeconds: number, work: (platform: VirtualPlatform) => Promise<void>) => {
        if (!parts.includes(part)) return;
        const onError = (line: string) => log(`the Worker: ${line.slice(0, 300)}`);
        const platform = await startVirtualPlatform(project, join(folder, part), flushAgeSeconds, onError);
        await work(platform).finally(() => platform.stop());
      };
      const figures: Figures = {};
      await on("busy", 0, async (platform) => {
        const sampled = all ? Array.from({ length: hours }, (_, hour) => hour) : [0, ...SAMPLED, hours - 1];
        const day = await busyDay(platform, DAY, hours, new Set(sampled), log);
        reportCauses(
          "hour 1, by cause",
          day.hours.slice(0, 1).map(({ usage }) => usage),
          log,
        );
        reportCauses(
          `hour ${hours}, by cause`,
          day.hours.slice(-1).map(({ usage }) => usage),
          log,
        );
        reportCauses("closing, by cause", [day.closing], log);
        if (statements) {
          for (const { hour, usage } of [day.hours[0]!, day.hours.at(-1)!])
            reportStatements(`hour ${hour + 1}, by statement`, [usage], log);
        }
        figures.growth = growthOf(day, log);
        figures.dollars_per_million = dollarsPerMillion(day, log);
        await demandAll(platform, day.sent);
      });
      await on("slow", 300, async (platform) => {
        const day = await busyDay(platform, DAY, HOURS_AT_5_MINUTES, new Set([0, 1]), log);
        figures.dollars_per_million_flushed_each_5_minutes = dollarsPerMillion(day, log);
      });
      await on("quiet", 0, async (platform) => {
        const day = await quietDay(platform, DAY, Math.min(hours, QUIET_HOURS));
        reportCauses(`${day.hours.length} hours of quiet topics, by cause`, day.hours, log);
        if (statements) reportStatements("quiet topics, by statement", day.hours, log);
        figures.quiet_dollars_a_day = dollarsADay(day.hours);
        log(`${QUIET_TOPICS} quiet topics: $${figures.quiet_dollars_a_day.toFixed(3)} a day`);
      });
      const ratio = Math.max(...Object.entries(figures).map(([name, value]) => value / Reflect.get(BUDGETS, name)));
      return { ratio, budget: 1, ok: ratio <= 1, ...figures };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function readArguments(args: readonly string[]) {
  const { values, positionals } = parseCommandLine([...args], {
    options: {
      hours: { type: "string", default: "24" },
      all: { type: "boolean", default: false },
      statements: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const hours = Number(values.hours);
  const unknown = positionals.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined || !(Number.isInteger(hours) && hours >= 1 && hours <= 24)) {
    throw new CommandProblem(
      "USAGE",
      `npm run bench -- build-day [${PARTS.join("|")} ...] [--hours 1 to 24] [--all] [--statements].`,
    );
  }
  const named = new Set<string>(positionals);
  const parts: readonly Part[] = PARTS.filter((part) => named.size === 0 || named.has(part));
  return { parts, hours, all: values.all, statements: values.statements };
}

/** Every event is in silver once, nothing waits, and the ledger closes: what it finds wrong it looks at again, at a cost. */
async function demandAll(platform: VirtualPlatform, sent: number): Promise<void> {
  const [built] = await platform.query(
    `SELECT sum(silver_records) AS silver, min(status) AS low, max(status) AS high FROM partition_meta WHERE domain = '${BUSY_TOPIC}'`,
  );
  if (built?.["silver"] !== sent || built["low"] !== "DONE" || built["high"] !== "DONE")
    throw new Error(`${sent} events were sent, silver has ${JSON.stringify(built)}`);
  const findings = await platform.query(
    "SELECT kind, topic, hour, measured FROM ledger_findings ORDER BY hour LIMIT 5",
  );
  if (findings.length > 0) throw new Error(`the ledger does not close: ${JSON.stringify(findings)}`);
}
