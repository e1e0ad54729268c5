/** `sluice parked`: lists messages that could not go on, and sends them on. */
import { z } from "zod";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { callPlatform, PLATFORM_OPTIONS, type PlatformAddress, platformOf } from "../platform-call.ts";
import { createProgressBar } from "../progress.ts";
import type { Command } from "./command.ts";

const HELP = `sluice parked list [--queue QUEUE] [--cause data|system]
sluice parked retry QUEUE/ID...
sluice parked retry --queue QUEUE | --all [--cause data|system]

A message that could not go on is kept intact. cause system: our fault, the bytes are fine; the platform sends these on by itself,
less often the more often that failed. cause data: no message of ours; only an operator can tell what it is. Retrying
doubles nothing: what is older than the memory of message ids is looked up in bronze first.

  --queue QUEUE    only those of this queue: sluice-production-orders
  --cause CAUSE    only those of this cause; retry with a filter takes system if not given
  --all            retry: those of every queue
  --json           the answer as JSON
  --url URL        the platform (http://127.0.0.1:8787)
  --key KEY        a key with the scope *:admin (SLUICE_KEY, or the local one)`;

const message = z.object({
  id: z.string(),
  queue: z.string(),
  cause: z.enum(["data", "system"]),
  detail: z.string(),
  attempts: z.number(),
  sent: z.string(),
  parked: z.string(),
  size: z.number(),
  redrives: z.number(),
});
const page = z.object({ parked: z.array(message), next_cursor: z.string().nullable() });
const result = z.object({ id: z.string(), outcome: z.string(), detail: z.string().optional() });
const retried = z.object({ results: z.array(z.looseObject(result.shape)) });

type Message = z.infer<typeof message>;
type Result = z.infer<typeof result>;

/** A retry may look into bronze, so that many take long: few a call. */
const CALL = 10;

export const command: Command = {
  summary: "lists messages that could not go on, and sends them on",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        queue: { type: "string" },
        cause: { type: "string" },
        all: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const platform = platformOf(values);
    const { queue, cause } = values;
    if (cause !== undefined && cause !== "data" && cause !== "system") {
      throw new CommandProblem("USAGE", `--cause takes data or system, not "${cause}".`);
    }
    const [action, ...ids] = positionals;
    if (action === "list" && ids.length === 0) {
      const messages = await all(platform, queue, cause);
      if (values.json) return console.log(JSON.stringify(messages, null, 2));
      if (messages.length === 0) return console.log("Nothing is parked.");
      for (const line of table(messages)) console.log(line);
      return console.log(`${messages.length} parked ${messages.length === 1 ? "message" : "messages"}`);
    }
    if (action !== "retry") throw new CommandProblem("USAGE", "sluice parked list or retry; --help says more.");
    if ((ids.length > 0 ? 1 : 0) + (queue === undefined ? 0 : 1) + (values.all ? 1 : 0) !== 1) {
      throw new CommandProblem("USAGE", "sluice parked retry takes QUEUE/ID, --queue or --all: one of them.");
    }
    const chosen = ids.length > 0 ? ids : (await all(platform, queue, cause ?? "system")).map(({ id }) => id);
    const results = await retry(platform, chosen);
    if (values.json) return console.log(JSON.stringify(results, null, 2));
    for (const line of summary(results)) console.log(line);
  },
};

async function all(
  platform: PlatformAddress,
  queue: string | undefined,
  cause: string | undefined,
): Promise<Message[]> {
  const messages: Message[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (queue !== undefined) query.set("queue", queue);
    if (cursor !== null) query.set("cursor", cursor);
    const answer: z.infer<typeof page> = await callPlatform(platform, "GET", `/v1/parked?${query}`, page);
    messages.push(...answer.parked.filter((each) => cause === undefined || each.cause === cause));
    cursor = answer.next_cursor;
  } while (cursor !== null);
  return messages;
}

async function retry(platform: PlatformAddress, ids: readonly string[]): Promise<Result[]> {
  const progress = createProgressBar("retry", ids.length);
  const results: Result[] = [];
  for (let start = 0; start < ids.length; start += CALL) {
    const body = { ids: ids.slice(start, start + CALL) };
    results.push(...(await callPlatform(platform, "POST", "/v1/parked/retry", retried, body)).results);
    progress.update(results.length);
  }
  if (ids.length > CALL) progress.finish();
  return results;
}

function table(messages: readonly Message[]): string[] {
  const columns = ["id", "cause", "detail", "attempts", "sent", "parked", "size", "redrives"] as const;
  return printTable(
    columns.map((name) => ({ name, numeric: name === "attempts" || name === "size" || name === "redrives" })),
    messages.map((each) => columns.map((name) => String(each[name]))),
  );
}

function summary(results: readonly Result[]): string[] {
  if (results.length === 0) return ["There is nothing to retry."];
  return [
    ...Map.groupBy(results, ({ outcome, detail }) => `${outcome}${detail === undefined ? "" : `: ${detail}`}`),
  ].map(([text, same]) => `${String(same.length).padStart(8)}  ${text}`);
}
