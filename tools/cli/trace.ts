/** `sluice trace EVENT_ID`: what became of one event, told in lines. */
import { z } from "zod";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { PLATFORM_OPTIONS, type PlatformAddress, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform, withQuery } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice trace EVENT_ID [--topic T] [--date D] [--json]

Where every copy of an event is: buffer, bronze file and row, the copy that silver kept, the gold tables built of it; or what it
is parked with; or its dead letters. Files are looked through: the topic and the date make it quick (docs/trace.md). Exit code 1 when it is not found.

  --topic T         look through this topic only; through all that the key may read if not given
  --date D          the event's partition date, 2026-01-31; if not given, the seven days from the making of a UUIDv7 on, or the
                    last seven days
  --json            the answers as JSON, one a line
${platformHelp("a key with the scope T:read or *:read", 20)}`;

const place = z.object({ file: z.string(), row_group: z.number(), row: z.number() });
const pageSchema = z.object({
  state: z.string().nullable(),
  copies: z.array(
    z.object({
      topic: z.string(),
      message_id: z.string(),
      event_index: z.number(),
      producer: z.string(),
      received: z.string(),
      partition_date: z.string(),
      bronze: place,
      silver: z.enum(["kept", "duplicate", "waiting", "held_back"]),
    }),
  ),
  buffered: z.array(
    z.object({
      topic: z.string(),
      shard: z.number(),
      shard_of: z.number(),
      message_id: z.string(),
      received: z.string(),
      buffered_since: z.string(),
    }),
  ),
  parked: z.array(
    z.object({
      parked_id: z.string(),
      topic: z.string(),
      event_index: z.number().nullable(),
      received: z.string(),
      parked_since: z.string(),
      cause: z.string(),
      detail: z.string(),
    }),
  ),
  silver: z.array(
    z.object({
      table: z.string(),
      partition_date: z.string(),
      version: z.number().nullable(),
      row: place.nullable(),
    }),
  ),
  gold: z.array(z.object({ table: z.string(), partition_date: z.string(), version: z.number(), current: z.boolean() })),
  dead_letters: z.array(
    z.object({
      dlq_id: z.string(),
      topic: z.string(),
      error_type: z.string(),
      request_id: z.string(),
      event_index: z.number(),
      received: z.string(),
    }),
  ),
  searched: z.object({ files: z.number(), files_pruned: z.number(), unreadable: z.array(z.string()) }),
  cursor: z.string().nullable(),
});
type Page = z.infer<typeof pageSchema>;

const SILVER = {
  kept: "silver kept this copy",
  duplicate: "a duplicate: silver kept another copy",
  waiting: "waits for the next build of silver",
  held_back: "built, but silver has no row of it",
} as const;

/** Pages of a search that has found nothing to stop at. */
const MAX_PAGES = 200;

export const command: Command = {
  summary: "what became of one event, from receipt to gold",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        topic: { type: "string" },
        date: { type: "string" },
        json: { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
      },
    });
    const [eventId, ...rest] = positionals;
    if (eventId === undefined || rest.length > 0) {
      throw new CommandProblem("USAGE", "sluice trace takes one event id; --help says more.");
    }
    const platform = platformOf(values);
    const { topic, date } = values;
    let found = false;
    let files = 0;
    for await (const { page, body } of pagesOf(platform, eventId, { topic, date })) {
      found ||= page.state !== null;
      files += page.searched.files;
      const lines = values.json ? [JSON.stringify(body)] : linesOf(page);
      if (lines.length > 0) console.log(lines.join("\n"));
    }
    if (!found) throw new CommandProblem("PLATFORM_REFUSED", `No event ${eventId} in ${files} files.`);
    if (!values.json) console.log(`${files} files looked through.`);
  },
};

async function* pagesOf(
  platform: PlatformAddress,
  eventId: string,
  hints: Readonly<Record<string, string | undefined>>,
): AsyncGenerator<{ page: Page; body: unknown }> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const path = `/v1/events/${encodeURIComponent(eventId)}`;
    const body = await callPlatform(platform, "GET", withQuery(path, { ...hints, cursor }), z.unknown());
    const parsed = pageSchema.parse(body);
    yield { page: parsed, body };
    if (parsed.cursor === null) return;
    cursor = parsed.cursor;
  }
  throw new CommandProblem(
    "PLATFORM_REFUSED",
    "There are more files than a trace looks through: give --topic and --date.",
  );
}

function linesOf({ copies, buffered, parked, silver, gold, dead_letters, searched }: Page): string[] {
  return [
    ...buffered.map(
      (one) =>
        `buffered   ${one.topic}, shard ${one.shard} of ${one.shard_of}, since ${one.buffered_since}: message ${one.message_id}, received ${one.received}`,
    ),
    ...parked.map(
      (one) =>
        `parked     ${one.topic}: ${one.parked_id}, since ${one.parked_since}, received ${one.received}, cause ${one.cause}${one.event_index === null ? " (its id stands in bytes that do not decode)" : ""}: ${one.detail}`,
    ),
    ...copies.flatMap((copy) => [
      `accepted   ${copy.topic}: received ${copy.received} from ${copy.producer}, message ${copy.message_id}, event ${copy.event_index}`,
      `  bronze   ${copy.bronze.file}, row group ${copy.bronze.row_group}, row ${copy.bronze.row}`,
      `  silver   ${SILVER[copy.silver]}`,
    ]),
    ...silver.map(({ table, partition_date, version, row }) =>
      row === null
        ? `silver     ${table} ${partition_date}: ${version === null ? "not published" : "no row"}`
        : `silver     ${table} ${partition_date}: ${row.file}, row ${row.row}, for ${copies.length} ${copies.length === 1 ? "copy" : "copies"}`,
    ),
    ...gold.map(
      ({ table, partition_date, version, current }) =>
        `gold       ${table} ${partition_date}: version ${version}${current ? "" : ", built before the silver of now"}`,
    ),
    ...dead_letters.map(
      (one) =>
        `rejected   ${one.topic}: ${one.error_type}, received ${one.received}, request ${one.request_id}, event ${one.event_index}: dead letter ${one.dlq_id}`,
    ),
    ...searched.unreadable.map((file) => `unreadable ${file}`),
  ];
}
