/** `sluice backfill`: has partitions of a time built, or built again, and shows how far that is. */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { follow } from "./backfill/follow.ts";
import { change, list, show } from "./backfill/known.ts";
import { start } from "./backfill/start.ts";
import type { Command } from "./command.ts";

const HELP = `sluice backfill --table T --from DATE --to DATE [--reprocess none|failed|completed] [--layer silver|gold]
               [--max-active 4] [--dry-run] [--no-wait]
sluice backfill list [--table T]
sluice backfill show ID [--wait]
sluice backfill cancel ID
sluice backfill resume ID

Has the partitions of a table built whose dates lie in [from, to]: the newest first, some at a time, behind the day's work, which
they do not delay. The same bronze gives the same rows; use it when a model, a derivation or a check has changed, or when builds
failed. Partitions whose bronze is past retention are refused. Refused events are another matter: sluice dead-letters replay.

  --table T                 silver_orders, its topic orders, or a gold table
  --from, --to DATE         2026-01-31, both inclusive
  --reprocess none          what was never built (if not given)
              failed        that, and what failed or is DEAD
              completed     all
  --layer silver            silver from bronze, and what reads it follows (of a silver table, if not given)
          gold              gold alone: of a silver table, every gold table that reads it
  --max-active N            partitions that are built at a time, 1 to 100
  --dry-run                 says what would be built
  --no-wait                 starts it and does not wait for its end
  --json                    the answer as JSON; it does not wait, unless --wait says so
${platformHelp("a key with TOPIC:admin, of gold tables *:admin; TOPIC:read for list and show", 28)}`;

export const command: Command = {
  summary: "builds partitions of a time, or builds them again; lists, cancels and resumes that",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        table: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        reprocess: { type: "string" },
        layer: { type: "string" },
        "max-active": { type: "string" },
        "dry-run": { type: "boolean", default: false },
        "no-wait": { type: "boolean", default: false },
        wait: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const { table, from, to, reprocess, layer, json, wait } = values;
    const [action, id, ...rest] = positionals;
    const plain = [from, to, reprocess, layer, values["max-active"]].every((flag) => flag === undefined);
    if (action === undefined) {
      if (table === undefined || from === undefined || to === undefined) {
        throw new CommandProblem("USAGE", "sluice backfill takes --table T --from DATE --to DATE; --help says more.");
      }
      const request = {
        ...{ table, from, to, reprocess, layer, dry_run: values["dry-run"] },
        max_active_runs: integerFlag("max-active", values["max-active"] ?? "4", 1, 100),
      };
      return start(platform, request, { json, wait: wait || !(json || values["no-wait"]), argv });
    }
    if (!plain || rest.length > 0) throw usage();
    if (action === "list" && id === undefined) return list(platform, table, json);
    if (id === undefined || table !== undefined) throw usage();
    if (action === "show") return wait ? follow(platform, id, json) : show(platform, id, json);
    if (action === "cancel" || action === "resume") return change(platform, id, action, json);
    throw usage();
  },
};

function usage(): CommandProblem {
  const forms = "--table T --from DATE --to DATE; or list, show ID, cancel ID, resume ID";
  return new CommandProblem("USAGE", `sluice backfill takes ${forms}; --help says more.`);
}
