/** `sluice cost`: what each topic costs a month at its measured rate, and what its flush age, shards and freshness are of that. */
import * as z from "zod";
import { contractOf } from "../../contracts/registry.ts";
import { dependentsOf } from "../../lakehouse/tables/catalog.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform } from "../platform-call.ts";
import type { Command } from "./command.ts";
import { MONTH_SECONDS, type MonthlyCost, monthlyCost, platformCost, type TopicLoad } from "./cost/estimate.ts";

const HELP = `sluice cost [--topic T] [--events-per-day N] [--per-request 100] [--event-bytes 500] [--flush-age SECONDS] [--shards N]
            [--build-every 600]

Dollars a month that each topic costs on Cloudflare at the rate of its last 24 hours, past what the plan includes and without storage:
what its events cost themselves, its buffers (shards), its flushes (flush age, shards) and its builds (freshness). Below, what a
longer flush age, one shard or rarer builds would save. An estimate, by the counts and formulas of docs/cost.md.

  --topic T                 of one topic
  --events-per-day N        in place of the measured rate
  --per-request N           events that producers send at once
  --event-bytes N           bytes of an event
  --flush-age SECONDS       in place of the contract's
  --shards N                in place of the contract's
  --build-every SECONDS     in place of the contract's buildAfter: how often a partition with new rows is built at most (default 600, as buildAfter of a contract)
  --json                    the figures as JSON
${platformHelp("a key with TOPIC:read", 28)}`;

const activity = z.object({
  topics: z.array(z.object({ topic: z.string(), shards: z.int(), accepted: z.int(), rejected: z.int() })),
});
const details = z.object({ flush: z.object({ bytes: z.int(), rows: z.int(), age_ms: z.int() }) });

const HOURS = 24;
/** Of a topic that this checkout has no contract of. */
const DEFAULT_BUILD_MS = 600_000;
/** How often the tables of the ledger are built, which hear of every topic. */
const LEDGER_BUILD_SECONDS = 900;
/** What a topic is compared with. */
const CALM_FLUSH_SECONDS = 300;
const CALM_BUILD_SECONDS = 600;

export const command: Command = {
  summary: "what each topic costs a month, by flush age, shards and freshness",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        topic: { type: "string" },
        "events-per-day": { type: "string" },
        "per-request": { type: "string", default: "100" },
        "event-bytes": { type: "string", default: "500" },
        "flush-age": { type: "string" },
        shards: { type: "string" },
        "build-every": { type: "string", default: "600" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const number = (
      flag: "events-per-day" | "flush-age" | "shards" | "build-every",
      most: number,
    ): number | undefined => {
      const text = values[flag];
      return text === undefined ? undefined : integerFlag(flag, text, 1, most);
    };
    const given = {
      eventsPerDay: number("events-per-day", 1e12),
      flushAge: number("flush-age", 86_400),
      shards: number("shards", 1_024),
      buildSeconds: number("build-every", 86_400),
    };
    const eventsPerRequest = integerFlag("per-request", values["per-request"], 1, 50_000);
    const eventBytes = integerFlag("event-bytes", values["event-bytes"], 1, 100_000);
    const platform = platformOf(values);
    const { topics } = await callPlatform(platform, "GET", `/v1/activity?hours=${HOURS}`, activity);
    const wanted = topics.filter(({ topic }) => values.topic === undefined || topic === values.topic);
    if (wanted.length === 0) {
      const names = topics.map(({ topic }) => topic).join(", ");
      throw new CommandProblem(
        "USAGE",
        `There is no topic "${values.topic}" that the key may read. There are: ${names}.`,
      );
    }
    const loads: (TopicLoad & { readonly topic: string })[] = [];
    for (const { topic, shards, accepted, rejected } of wanted) {
      const path = `/v1/topics/${encodeURIComponent(topic)}/activity`;
      const { flush } = await callPlatform(platform, "GET", path, details);
      loads.push({
        topic,
        eventsPerSecond: (given.eventsPerDay ?? accepted + rejected) / 86_400,
        eventsPerRequest,
        eventBytes,
        shards: given.shards ?? shards,
        flush: { ageSeconds: given.flushAge ?? flush.age_ms / 1_000, rows: flush.rows, bytes: flush.bytes },
        buildSeconds: given.buildSeconds ?? (contractOf(topic)?.buildAfterMs ?? DEFAULT_BUILD_MS) / 1_000,
        tables: 1 + dependentsOf(silverTableName(topic)).length,
      });
    }
    const costs = loads.map((load) => ({ load, cost: monthlyCost(load), saved: savings(load) }));
    const shared = platformCost(given.buildSeconds ?? LEDGER_BUILD_SECONDS);
    if (values.json) {
      const rows = costs.map(({ load, cost, saved }) => ({ ...load, month: cost, saved }));
      return console.log(JSON.stringify({ topics: rows, platform: shared }, null, 2));
    }
    for (const line of linesOf(costs, shared)) console.log(line);
  },
};

interface CostedTopic {
  readonly load: TopicLoad & { readonly topic: string };
  readonly cost: MonthlyCost;
  readonly saved: Savings;
}

/** Dollars a month that a change of one setting would save. */
interface Savings {
  readonly flushAge: number;
  readonly oneShard: number;
  readonly rarerBuilds: number;
}

function savings(load: TopicLoad): Savings {
  const than = (changes: Partial<TopicLoad>) =>
    Math.max(0, monthlyCost(load).total - monthlyCost({ ...load, ...changes }).total);
  const ageSeconds = Math.max(load.flush.ageSeconds, CALM_FLUSH_SECONDS);
  return {
    flushAge: than({ flush: { ...load.flush, ageSeconds } }),
    oneShard: than({ shards: 1 }),
    rarerBuilds: than({ buildSeconds: Math.max(load.buildSeconds, CALM_BUILD_SECONDS) }),
  };
}

function linesOf(costs: readonly CostedTopic[], shared: number): string[] {
  const total = costs.reduce((sum, { cost }) => sum + cost.total, shared);
  const columns = [
    "topic",
    "events/day",
    "shards",
    "flush s",
    "age s",
    "events",
    "buffers",
    "flushes",
    "builds",
    "month",
    "per million",
  ];
  const rows = costs.map(({ load, cost }) => {
    const millions = (load.eventsPerSecond * MONTH_SECONDS) / 1e6;
    return [
      load.topic,
      String(Math.round(load.eventsPerSecond * 86_400)),
      String(load.shards),
      String(load.flush.ageSeconds),
      String(cost.ageSeconds),
      ...[cost.ingest, cost.buffers, cost.flushes, cost.builds, cost.total].map(dollars),
      millions === 0 ? "" : `$${(cost.total / millions).toFixed(4)}`,
    ];
  });
  const saving = costs.filter(({ saved }) => Math.max(saved.flushAge, saved.oneShard, saved.rarerBuilds) >= 0.005);
  return [
    "Dollars a month; age: seconds from acceptance to the published table at worst",
    ...table(columns, rows),
    `The cron and the ledger's tables: ${dollars(shared)}. All: ${dollars(total)} a month.`,
    ...(saving.length === 0
      ? []
      : [
          "",
          "What would be saved a month",
          ...table(
            ["topic", `flush age ${CALM_FLUSH_SECONDS} s`, "one shard", `builds each ${CALM_BUILD_SECONDS} s`],
            saving.map(({ load, saved }) => [
              load.topic,
              ...[saved.flushAge, saved.oneShard, saved.rarerBuilds].map(dollars),
            ]),
          ),
        ]),
  ];
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return printTable(
    columns.map((name) => ({ name, numeric: name !== "topic" })),
    rows,
  );
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
