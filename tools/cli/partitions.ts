/** `sluice partitions`: the states of partitions, why they wait, and the end of those that a check holds back. */
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import type { Command } from "./command.ts";
import { decide } from "./partitions/decide.ts";
import { list } from "./partitions/list.ts";
import { show } from "./partitions/show.ts";

const HELP = `sluice partitions [list] [--table T] [--status STATUS] [--from DATE] [--to DATE] [--limit 50]
sluice partitions show TABLE DATE
sluice partitions accept TABLE DATE --reason TEXT
sluice partitions quarantine TABLE DATE --reason TEXT
sluice partitions discard TABLE DATE --reason TEXT

list: the newest dates first, with how many partitions stand at which state, the rows that no build has read and the steps of the
build under way. show: why a partition waits and what to do, its inputs,
runs, checks, what is published, and what people decided of it. The last three end a partition that a check holds back:

  accept       publishes it in spite of the checks that fail, as long as they measure what they do now
  quarantine   publishes it without the rows that fail, which go to the table's quarantine
  discard      keeps what was published before, and tries nothing more until there is new input

  --table T                 list: of one table: silver_orders, or its topic orders
  --status STATUS           list: PENDING, IN_FLIGHT, DONE, FAILED, RETRYING, DEAD, LATE, REPROCESSING or UNDISCOVERED
  --from, --to DATE         list: dates in [from, to]: 2026-01-31
  --limit N                 list: how many at most
  --reason TEXT             why; kept with the key's id and the time, and shown
  --json                    the answer as JSON
${platformHelp("a key with TOPIC:read, to decide TOPIC:admin (of gold tables *:read, *:admin)", 28)}`;

export const command: Command = {
  summary: "lists the states of builds, says why they wait, and ends those that a check holds back",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        table: { type: "string" },
        status: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        limit: { type: "string" },
        reason: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const [action = "list", table, date, ...rest] = positionals;
    const { json, reason, status, limit, from, to, table: ofTable } = values;
    const decides = action === "accept" || action === "quarantine" || action === "discard";
    if (action === "list" && table === undefined && reason === undefined) {
      const filter = { table: ofTable, status: status?.toUpperCase(), from, to };
      return list(platform, filter, { limit: integerFlag("limit", limit ?? "50", 1, 100_000), json });
    }
    const filtered = [ofTable, status, from, to, limit].some((flag) => flag !== undefined);
    if (table === undefined || date === undefined || rest.length > 0 || filtered) throw usage();
    if (action === "show" && reason === undefined) return show(platform, table, date, json);
    if (!decides) throw usage();
    if (reason === undefined) {
      throw new CommandProblem(
        "USAGE",
        `sluice partitions ${action} takes --reason TEXT: why, for those who read it later.`,
      );
    }
    return decide(platform, { table, date, action, reason }, json);
  },
};

function usage(): CommandProblem {
  const forms = "list with filters, or show, accept, quarantine, discard with TABLE and DATE";
  return new CommandProblem("USAGE", `sluice partitions takes ${forms}; --help says more.`);
}
