/** `sluice dead-letters list`: a table, page by page until there are enough. */
import { z } from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import type { FilterFlags } from "./filter-flags.ts";

const letter = z.looseObject({
  dlq_id: z.string(),
  source_topic: z.string(),
  error_type: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  event_id: z.string().nullable(),
  producer: z.string(),
  received_at: z.string(),
  attempts: z.number(),
});
const page = z.object({ dead_letters: z.array(letter), next_cursor: z.string().nullable() });

const PAGE = 200;

export interface ListOptions {
  readonly limit: number;
  readonly order: "newest" | "oldest";
  readonly json: boolean;
}

export async function list(platform: PlatformAddress, flags: FilterFlags, options: ListOptions): Promise<void> {
  const letters: z.infer<typeof letter>[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ order: options.order });
    query.set("limit", String(Math.min(PAGE, options.limit - letters.length)));
    const { topic, "error-type": error_type, producer, from, to } = flags;
    for (const [name, value] of Object.entries({ topic, error_type, producer, from, to })) {
      if (value !== undefined) query.set(name, value);
    }
    if (cursor !== null) query.set("cursor", cursor);
    const answer: z.infer<typeof page> = await callPlatform(platform, "GET", `/v1/dead-letters?${query}`, page);
    letters.push(...answer.dead_letters);
    cursor = answer.next_cursor;
  } while (cursor !== null && letters.length < options.limit);
  if (options.json) return console.log(JSON.stringify(letters, null, 2));
  if (letters.length === 0) return console.log("No dead letters.");
  for (const line of table(letters)) console.log(line);
  const more = cursor === null ? "" : "; there are more: --limit N shows them";
  console.log(`${letters.length} dead ${letters.length === 1 ? "letter" : "letters"}${more}`);
}

function table(letters: readonly z.infer<typeof letter>[]): string[] {
  const columns = [
    "received_at",
    "topic",
    "error_type",
    "pointer",
    "detail",
    "producer",
    "event_id",
    "attempts",
    "dlq_id",
  ];
  return printTable(
    columns.map((name) => ({ name, numeric: name === "attempts" })),
    letters.map((each) => [
      each.received_at,
      each.source_topic,
      each.error_type,
      each.errors[0]?.pointer ?? "",
      each.errors[0]?.detail ?? "",
      each.producer,
      each.event_id ?? "",
      String(each.attempts),
      each.dlq_id,
    ]),
  );
}
