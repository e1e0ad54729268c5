/** `sluice tables`: what is published, the versions of a table, and the way back to one of them. */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import type { Command } from "./command.ts";
import { listTables, listVersions } from "./tables/list.ts";
import { releaseTable, rollBackTable } from "./tables/rollback.ts";

const HELP = `sluice tables [list]
sluice tables versions TABLE [--partition DATE] [--limit 50]
sluice tables rollback TABLE --version N [--partition DATE] --reason TEXT
sluice tables release TABLE [--partition DATE]

list: the published tables, their newest version, and how many partitions a rollback holds. versions: the newest first.

  rollback   makes a new version with the files of version N: of every partition that was committed since, or of one. They are
             pinned: no build changes them, whatever comes in, until they are released
  release    lets builds have them again: each is built within a minute or two, with all of its inputs

  --version N               rollback: one that versions shows as readable, or one of the partition
  --partition DATE          only this date: 2026-01-31
  --limit N                 versions: how many at most
  --reason TEXT             rollback: why; kept until the release, and shown by sluice partitions show
  --json                    the answer as JSON
${platformHelp("a key with TOPIC:read, to roll back TOPIC:admin (of gold tables *:read, *:admin)", 28)}`;

export const command: Command = {
  summary: "lists tables and their versions, and rolls a table back to an older one",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        version: { type: "string" },
        partition: { type: "string" },
        limit: { type: "string" },
        reason: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const [action = "list", table, ...rest] = positionals;
    const { json, partition, reason, limit } = values;
    if (rest.length > 0 || (action === "list") !== (table === undefined)) throw usage();
    if (table === undefined) return listTables(platform, json);
    if (action === "versions") {
      return listVersions(platform, table, partition, integerFlag("limit", limit ?? "50", 1, 100_000), json);
    }
    if (action === "release") return releaseTable(platform, table, partition, json);
    if (action !== "rollback") throw usage();
    if (values.version === undefined || reason === undefined)
      throw new CommandProblem(
        "USAGE",
        "sluice tables rollback takes --version N and --reason TEXT: to what, and why.",
      );
    const version = integerFlag("version", values.version, 1, Number.MAX_SAFE_INTEGER);
    return rollBackTable(platform, table, { version, partition, reason }, json);
  },
};

function usage(): CommandProblem {
  return new CommandProblem(
    "USAGE",
    "sluice tables takes list, or versions, rollback, release with TABLE; --help says more.",
  );
}
