/** `sluice topics`: what kafka-topics, kafka-console-consumer and kafka-consumer-groups are for, of a platform. */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import type { Command } from "./command.ts";
import { describe } from "./topics/describe.ts";
import { flush } from "./topics/flush.ts";
import { lag } from "./topics/lag.ts";
import { list } from "./topics/list.ts";
import { peek } from "./topics/peek.ts";

const HELP = `sluice topics list [--hours 1]
sluice topics describe TOPIC
sluice topics peek TOPIC [--limit 10] [--from TIME]
sluice topics lag [TOPIC]
sluice topics flush TOPIC

peek prints the newest events of bronze as they were sent, one JSON document a line, the newest first; masked fields stay masked.
flush writes to bronze what the topic's buffers hold, without waiting for their thresholds.

  --hours N                 list, describe: counts of the last hours, 1 to 24
  --limit N                 peek: how many at most, 1 to 500
  --from TIME               peek: received then or later: 2026-01-31 or 2026-01-31T12:00:00Z
  --json                    the answer as JSON
${platformHelp("a key; they need TOPIC:read, flush TOPIC:admin", 28)}`;

export const command: Command = {
  summary: "lists, describes, peeks into and flushes topics, and shows their lag",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        hours: { type: "string" },
        limit: { type: "string" },
        from: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const [action, topic, ...rest] = positionals;
    if (rest.length > 0) throw usage();
    const { json } = values;
    refuseFlagsOfOthers(action, values);
    const hours = integerFlag("hours", values.hours ?? "1", 1, 24);
    if (action === "list" && topic === undefined) return list(platform, hours, json);
    if (action === "lag") return lag(platform, topic, json);
    if (topic === undefined) throw usage();
    switch (action) {
      case "describe":
        return describe(platform, topic, hours, json);
      case "peek":
        return peek(platform, topic, {
          limit: integerFlag("limit", values.limit ?? "10", 1, 500),
          from: values.from,
          json,
        });
      case "flush":
        return flush(platform, topic, json);
      default:
        throw usage();
    }
  },
};

const ACTIONS_OF_FLAG = { hours: ["list", "describe"], limit: ["peek"], from: ["peek"] } as const;

/** A filter that would do nothing is a mistake. Throws CommandProblem (USAGE). */
function refuseFlagsOfOthers(
  action: string | undefined,
  values: Readonly<Partial<Record<keyof typeof ACTIONS_OF_FLAG, string>>>,
): void {
  for (const flag of ["hours", "limit", "from"] as const) {
    const actions: readonly string[] = ACTIONS_OF_FLAG[flag];
    if (values[flag] === undefined || action === undefined || actions.includes(action)) continue;
    throw new CommandProblem("USAGE", `sluice topics ${action} has no --${flag}: it is of ${actions.join(" and ")}.`);
  }
}

function usage(): CommandProblem {
  const forms = "list, describe TOPIC, peek TOPIC, lag [TOPIC] or flush TOPIC";
  return new CommandProblem("USAGE", `sluice topics ${forms}; --help says more.`);
}
