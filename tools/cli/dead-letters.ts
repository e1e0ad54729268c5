/** `sluice dead-letters`: lists, shows and replays what was refused. */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import type { Command } from "./command.ts";
import { list } from "./dead-letters/list.ts";
import { replay } from "./dead-letters/replay.ts";
import { show } from "./dead-letters/show.ts";

const HELP = `sluice dead-letters list [filters] [--limit 50] [--oldest]
sluice dead-letters show ID [--date YYYY-MM-DD] [--payload]
sluice dead-letters replay ID... [flags]
sluice dead-letters replay --topic TOPIC [filters] [--max 10000] [flags]

Replaying sends refused events through admission again, once the contract or schema that refused them is mended. Without --yes
it only says what would become of them. Replaying twice gives the same silver tables.

  --topic TOPIC             the topic that the events were sent to
  --error-type TYPE         the first error's type, such as MISSING_FIELD (docs/errors.md)
  --producer NAME           who sent them
  --from, --to TIME         received in [from, to): 2026-01-31 or 2026-01-31T12:00:00Z; the last seven days if
                            not given, and at most the replayWindow of dead_letters back (30 days)
  --limit N, --oldest       list: how many, and the oldest first
  --date YYYY-MM-DD         show: the day of its reception, which is faster than searching seven
  --payload                 show: the payload alone
  --yes                     replay: do it
  --max N                   replay with a filter: how many at most
  --schema-version N        replay: judges events that name no version by this one
  --accept-masked           replay: takes values that were refused and are masked since
  --json                    the answer as JSON
${platformHelp("a key with TOPIC:read, for replays TOPIC:write or TOPIC:admin", 28)}`;

export const command: Command = {
  summary: "lists, shows and replays refused events",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        topic: { type: "string" },
        "error-type": { type: "string" },
        producer: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        limit: { type: "string", default: "50" },
        oldest: { type: "boolean", default: false },
        date: { type: "string" },
        payload: { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        max: { type: "string", default: "10000" },
        "schema-version": { type: "string" },
        "accept-masked": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const [action, ...ids] = positionals;
    const [id] = ids;
    if (action === "list" && id === undefined) {
      const limit = integerFlag("limit", values.limit, 1, 100_000);
      return list(platform, values, { limit, order: values.oldest ? "oldest" : "newest", json: values.json });
    }
    if (action === "show" && id !== undefined && ids.length === 1) {
      return show(platform, id, { date: values.date, payload: values.payload, json: values.json });
    }
    if (action === "replay") {
      const version = values["schema-version"];
      return replay(platform, ids, values, {
        yes: values.yes,
        json: values.json,
        max: integerFlag("max", values.max, 1, 10_000_000),
        schemaVersion: version === undefined ? null : integerFlag("schema-version", version, 1, 999_999_999),
        acceptMasked: values["accept-masked"],
        again: ["sluice", "dead-letters", ...argv, "--yes"].join(" "),
      });
    }
    throw new CommandProblem("USAGE", "sluice dead-letters list, show ID or replay; --help says more.");
  },
};
