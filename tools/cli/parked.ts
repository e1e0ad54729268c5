/** `sluice parked`: lists messages and slices that could not go on, shows one, and sends them on. */
import { z } from "zod";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { PLATFORM_OPTIONS, type PlatformAddress, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform, withQuery } from "../platform-call.ts";
import { createProgressBar } from "../progress.ts";
import type { Command } from "./command.ts";

const HELP = `sluice parked list [--queue QUEUE] [--cause data|system]
sluice parked show ID
sluice parked retry ID...
sluice parked retry --queue QUEUE | --all [--cause data|system]

What could not go on is kept intact. A message (ID: QUEUE/ID) of cause system: our fault, the bytes are fine; the platform sends these on by
itself, less often the more often that failed. A message of cause data: no message of ours; only an operator can tell what it is. A slice
(ID: slices/TOPIC/ID): one shard's part of a message, whose bytes a flush could not decode; it is sent on once a deploy can, by itself or
here, and stays otherwise. Retrying doubles nothing: what is older than the memory of message ids is looked up in bronze first.

  --queue QUEUE    only those of this queue: sluice-production-orders; slices, slices/TOPIC
  --cause CAUSE    only those of this cause; retry with a filter takes system, and slices, if not given
  --all            retry: those of every queue
  --json           the answer as JSON
${platformHelp("a key with the scope *:admin", 19)}`;

const message = z.object({
  id: z.string(),
  kind: z.enum(["message", "slice"]),
  queue: z.string(),
  cause: z.enum(["data", "system"]),
  topic: z.string().nullable(),
  events: z.number().nullable(),
  detail: z.string(),
  attempts: z.number(),
  sent: z.string(),
  parked: z.string(),
  size: z.number(),
  redrives: z.number(),
});
const item = message.extend({
  problem: z.string().nullable(),
  header: z.record(z.string(), z.unknown()).nullable(),
});
const page = z.object({ parked: z.array(message), next_cursor: z.string().nullable() });
const result = z.object({ id: z.string(), outcome: z.string(), detail: z.string().optional() });
const retried = z.object({ results: z.array(z.looseObject(result.shape)) });

type Message = z.infer<typeof message>;
type Result = z.infer<typeof result>;

/** A retry may look into bronze, so that many take long: few a call. */
const CALL = 10;

export const command: Command = {
  summary: "lists messages and slices that could not go on, and sends them on",
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
    if (action === "show" && ids.length === 1) return show(platform, ids[0] ?? "");
    if (action !== "retry")
      throw new CommandProblem("USAGE", "sluice parked list, show ID or retry; --help says more.");
    if ((ids.length > 0 ? 1 : 0) + (queue === undefined ? 0 : 1) + (values.all ? 1 : 0) !== 1) {
      throw new CommandProblem("USAGE", "sluice parked retry takes ids, --queue or --all: one of them.");
    }
    const chosen =
      ids.length > 0 ? ids : (await all(platform, queue, cause)).filter(mayGoOn(cause)).map(({ id }) => id);
    const results = await retry(platform, chosen);
    if (values.json) console.log(JSON.stringify(results, null, 2));
    else for (const line of summary(results)) console.log(line);
    refuseFailures(results);
  },
};

/** Without a cause: what may go on without somebody who looked at it. */
function mayGoOn(asked: string | undefined): (message: Message) => boolean {
  return ({ kind, cause }) => asked !== undefined || kind === "slice" || cause === "system";
}

async function show(platform: PlatformAddress, id: string): Promise<void> {
  const path = withQuery("/v1/parked/item", { id });
  console.log(JSON.stringify(await callPlatform(platform, "GET", path, item), null, 2));
}

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

/** Throws CommandProblem: SEND_FAILED when storage or a queue refused some, PLATFORM_REFUSED when none of them is parked. */
function refuseFailures(results: readonly Result[]): void {
  const of = (wanted: string): number => results.filter(({ outcome }) => outcome === wanted).length;
  if (of("failed") > 0) {
    throw new CommandProblem("SEND_FAILED", `${of("failed")} could not be sent on, and stay parked: run it again.`);
  }
  if (results.length > 0 && of("not_found") === results.length) {
    throw new CommandProblem("PLATFORM_REFUSED", "Nothing is parked under these ids; sluice parked list says what is.");
  }
}

const NUMBERS = new Set(["attempts", "size", "redrives", "events"]);

function table(messages: readonly Message[]): string[] {
  const columns = ["id", "cause", "detail", "attempts", "sent", "parked", "size", "redrives", "events"] as const;
  return printTable(
    columns.map((name) => ({ name, numeric: NUMBERS.has(name) })),
    messages.map((each) => columns.map((name) => String(each[name] ?? "-"))),
  );
}

function summary(results: readonly Result[]): string[] {
  if (results.length === 0) return ["There is nothing to retry."];
  return [
    ...Map.groupBy(results, ({ outcome, detail }) => `${outcome}${detail === undefined ? "" : `: ${detail}`}`),
  ].map(([text, same]) => `${String(same.length).padStart(8)}  ${text}`);
}
