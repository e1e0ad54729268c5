/** `sluice ledger`: what became of every event, as tables; with --check, whether all of it is accounted for. */
import { z } from "zod";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform, withQuery } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice ledger [--topic T] [--from TIME] [--to TIME] [--by hour|partition] [--check] [--json]

What became of the events that were received: accepted = bronze + buffered + parked, and bronze = silver + duplicates +
superseded + quarantined + expired + unbuilt. What is left is the difference; what is on its way is none. Below, how much of
each day's events is in the table, the messages between gateways and buffers, and what is parked
(docs/ledger.md). Parked, replayed, superseded, quarantined and expired are shown where some row has them.

  --topic T         of one topic; of all that the key may read if not given
  --from, --to      2026-01-31 or 2026-01-31T12:00:00Z; the last day if not given
  --by              hour of reception (hour), or date of the table (partition)
  --check           exit code 1 when there is a difference or a suspected loss
  --json            the answer as JSON
${platformHelp("a key with the scope T:read or *:read", 20)}`;

const answerSchema = z.looseObject({
  as_of: z.string(),
  from: z.string(),
  to: z.string(),
  closes: z.boolean(),
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
  completeness: z.array(
    z.object({
      topic: z.string(),
      date: z.string(),
      received: z.number(),
      missing: z.number(),
      percent: z.number(),
      promised_percent: z.number().nullable(),
    }),
  ),
  messages: z.array(
    z.object({
      topic: z.string(),
      arrived: z.number(),
      in_flight: z.number(),
      suspected_lost: z.number(),
      instances: z.number(),
      silent_instances: z.number(),
      gaps: z.array(z.object({ topic: z.string(), instance: z.string(), hour: z.string(), messages: z.number() })),
    }),
  ),
  parked: z.object({
    groups: z.array(
      z.object({
        topic: z.string().nullable(),
        cause: z.string(),
        messages: z.number(),
        events: z.number().nullable(),
        oldest: z.string().nullable(),
      }),
    ),
    truncated: z.boolean(),
  }),
  next_cursor: z.string().nullable(),
});
type Answer = z.infer<typeof answerSchema>;

export const command: Command = {
  summary: "what became of every event, and what is missing",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        topic: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        by: { type: "string" },
        check: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const { topic, from, to, by } = values;
    const platform = platformOf(values);
    const page = (cursor?: string): Promise<Answer> =>
      callPlatform(platform, "GET", withQuery("/v1/ledger", { topic, from, to, by, cursor }), answerSchema);
    let answer = await page();
    while (answer.next_cursor !== null) answer = joined(answer, await page(answer.next_cursor));
    console.log(values.json ? JSON.stringify(answer, null, 2) : linesOf(answer).join("\n"));
    if (values.check && !answer.closes) throw new CommandProblem("LEDGER_OPEN", verdictOf(answer));
  },
};

/** Two pages as one. What is parked stands on the first. */
function joined(first: Answer, next: Answer): Answer {
  return {
    ...first,
    closes: first.closes && next.closes,
    rows: [...first.rows, ...next.rows],
    completeness: [...first.completeness, ...next.completeness],
    messages: [...first.messages, ...next.messages],
    next_cursor: next.next_cursor,
  };
}

function linesOf(answer: Answer): string[] {
  const { from, to, rows, completeness, messages, parked } = answer;
  const lines = [`Received from ${from} to ${to}`, ""];
  if (rows.length === 0) lines.push("No events.");
  else lines.push(...tableOf(withoutEmptyTerms(rows)));
  if (completeness.length > 0) lines.push("", "Completeness, by date of reception", ...tableOf(completeness));
  if (messages.length > 0) lines.push("", "Messages", ...tableOf(messages.map(({ gaps: _, ...counts }) => counts)));
  const gaps = messages.flatMap((of) => of.gaps);
  if (gaps.length > 0)
    lines.push("", "Suspected losses, by the hour before whose end they were sent", ...tableOf(gaps));
  if (parked.groups.length > 0) {
    lines.push("", parked.truncated ? "Parked (and more)" : "Parked", ...tableOf(parked.groups));
  }
  return [...lines, "", verdictOf(answer)];
}

function verdictOf({ closes, rows, messages }: Answer): string {
  if (closes) return "The ledger closes.";
  const wrong = rows.filter(({ difference }) => difference !== 0).length;
  const lost = messages.reduce((sum, { suspected_lost }) => sum + suspected_lost, 0);
  return `The ledger does not close: ${wrong} rows with a difference, ${lost} messages suspected to be lost.`;
}

/** Terms that most topics never have: their columns are shown where some row has them. */
const RARE_TERMS = ["parked", "replayed", "superseded", "quarantined", "expired"];

function withoutEmptyTerms(rows: Answer["rows"]): Answer["rows"] {
  const empty = new Set(RARE_TERMS.filter((term) => rows.every((row) => row[term] === 0)));
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !empty.has(name))));
}

function tableOf(rows: readonly Readonly<Record<string, string | number | null>>[]): string[] {
  const names = Object.keys(rows[0] ?? {});
  return printTable(
    names.map((name) => ({ name, numeric: rows.some((row) => typeof row[name] === "number") })),
    rows.map((row) => names.map((name) => (row[name] === null || row[name] === undefined ? "-" : String(row[name])))),
  );
}
