/** `sluice replay`: derives tables from bronze once more. */
import * as z from "zod";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice replay --topic TOPIC --from TIME --to TIME [--dry-run | --yes]

Builds again, from bronze, the topic's partitions that hold events received in [from, to) or whose date lies in it, and all tables
that read them. The same bronze gives the same rows; use it when a model, a derivation or a check has changed, or a table's files
are in doubt. Without --yes it only says what would be built. Partitions whose bronze is past retention are refused.
Refused events are another matter: sluice dead-letters replay.

  --topic TOPIC             whose bronze
  --from, --to TIME         2026-01-31 or 2026-01-31T12:00:00Z
  --dry-run                 says what would be built: what happens without --yes
  --yes                     does it
  --json                    the answer as JSON
${platformHelp("a key with TOPIC:admin", 28)}`;

const answer = z.object({
  partitions: z.array(z.object({ date: z.string(), files: z.int(), rows: z.int(), status: z.string().nullable() })),
  refused: z.array(z.object({ date: z.string(), code: z.string(), detail: z.string() })),
  tables: z.array(z.string()),
});

export const command: Command = {
  summary: "derives silver and gold from bronze once more",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        topic: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const { topic, from, to, yes } = values;
    if (topic === undefined || from === undefined || to === undefined || (yes && values["dry-run"])) {
      const form = "--topic TOPIC --from TIME --to TIME, and either --dry-run or --yes";
      throw new CommandProblem("USAGE", `sluice replay takes ${form}; --help says more.`);
    }
    const body = { topic, from, to, dry_run: !yes };
    const found = await callPlatform(platformOf(values), "POST", "/v1/replays", answer, body);
    if (values.json) return console.log(JSON.stringify(found, null, 2));
    for (const line of linesOf(found, yes)) console.log(line);
    if (!yes && found.partitions.length > 0) {
      console.log(`\nNothing was changed. To do it:\n  ${["sluice", "replay", ...argv, "--yes"].join(" ")}`);
    }
  },
};

function linesOf({ partitions, refused, tables }: z.infer<typeof answer>, yes: boolean): string[] {
  const columns = ["date", "files", "rows", "status"] as const;
  const table = printTable(
    columns.map((name) => ({ name, numeric: name === "files" || name === "rows" })),
    partitions.map((each) => columns.map((name) => String(each[name] ?? ""))),
  );
  const lines = partitions.length === 0 ? [] : [...table];
  if (partitions.length + refused.length === 0) {
    lines.push("No partition of the topic has a date in that time, or events that were received in it.");
  }
  if (partitions.length > 0) {
    const one = partitions.length === 1;
    const counted = `${partitions.length} ${one ? "partition" : "partitions"}`;
    lines.push(
      yes
        ? `${counted} ${one ? "is" : "are"} built again within a minute or two: ${tables.join(", ")}`
        : `${counted} would be built again: ${tables.join(", ")}`,
    );
  }
  for (const { date, code, detail } of refused) lines.push(`${date} is refused: ${code}, ${detail}`);
  return lines;
}
