/** `sluice runs`: what builds did lately. */
import * as z from "zod";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform, withQuery } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice runs [--table T] [--date DATE] [--status RUNNING|DONE|FAILED|LOST] [--limit 20]

The runs of builds: those that hold a partition's lease first, then those that ended, the last first. LOST: its builder vanished,
and another took over. A run of kind compaction put rows into fewer files. Runs are kept for thirty days.

  --table T                 of one table: silver_orders, or its topic orders
  --date DATE               of the partitions of one date: 2026-01-31
  --status STATUS           only these
  --limit N                 how many at most
  --json                    the answer as JSON
${platformHelp("a key with TOPIC:read, of gold tables *:read", 28)}`;

const run = z.looseObject({
  run_id: z.string(),
  table: z.string(),
  partition_date: z.string(),
  kind: z.string(),
  status: z.string(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  rows_in: z.int().nullable(),
  rows_out: z.int().nullable(),
  error_message: z.string().nullable(),
});
const page = z.object({ runs: z.array(run), next_cursor: z.string().nullable() });

const PAGE = 500;
/** A filter that few runs pass is looked for in so many pages of 2,000 runs. */
const PAGES = 50;

export const command: Command = {
  summary: "lists what builds did lately",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        table: { type: "string" },
        date: { type: "string" },
        status: { type: "string" },
        limit: { type: "string", default: "20" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const { table, date, json } = values;
    const status = values.status?.toUpperCase();
    const limit = integerFlag("limit", values.limit, 1, 100_000);
    const platform = platformOf(values);
    const runs: z.infer<typeof run>[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < PAGES && runs.length < limit; pages++) {
      const query = { table, date, status, limit: String(Math.min(PAGE, limit - runs.length)) };
      const path = withQuery("/v1/runs", { ...query, cursor: cursor ?? undefined });
      const answer: z.infer<typeof page> = await callPlatform(platform, "GET", path, page);
      runs.push(...answer.runs);
      cursor = answer.next_cursor;
      if (cursor === null) break;
    }
    if (json) return console.log(JSON.stringify({ runs, next_cursor: cursor }, null, 2));
    if (runs.length === 0) return console.log("No runs.");
    for (const line of tableOf(runs)) console.log(line);
    const failed = runs.find(({ status: of }) => of === "FAILED");
    if (failed !== undefined) {
      console.log(`\nThe whole error, and what to do: sluice partitions show ${failed.table} ${failed.partition_date}`);
    }
  },
};

function tableOf(runs: readonly z.infer<typeof run>[]): string[] {
  const columns = ["started", "table", "date", "kind", "status", "seconds", "rows in", "rows out", "error"];
  const numeric = new Set(["seconds", "rows in", "rows out"]);
  return printTable(
    columns.map((name) => ({ name, numeric: numeric.has(name) })),
    runs.map((each) => [
      each.started_at.slice(0, 19).concat("Z"),
      each.table,
      each.partition_date,
      each.kind,
      each.status,
      secondsOf(each),
      String(each.rows_in ?? ""),
      String(each.rows_out ?? ""),
      each.error_message ?? "",
    ]),
  );
}

function secondsOf({ started_at, finished_at }: z.infer<typeof run>): string {
  if (finished_at === null) return "";
  return ((Date.parse(finished_at) - Date.parse(started_at)) / 1_000).toFixed(1);
}
