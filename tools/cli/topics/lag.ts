/** `sluice topics lag`: what was taken in and is not in bronze yet. */
import * as z from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const answer = z.object({
  topic: z.string(),
  as_of: z.string(),
  bronze: z.object({ rows: z.int(), newest_received: z.string().nullable() }),
  waiting: z.object({
    queue: z.object({ messages: z.int(), oldest_sent: z.string().nullable() }),
    buffers: z.object({ events: z.int(), oldest_appended: z.string().nullable() }),
  }),
});
export type Lag = z.infer<typeof answer>;

const topicsAnswer = z.object({ topics: z.array(z.object({ topic: z.string() })) });

/** Asks for one topic or for all; at most four at once, since each asks every buffer of its topic. */
export async function lagsOf(platform: PlatformAddress, topics: readonly string[]): Promise<Lag[]> {
  const lags: Lag[] = [];
  for (let start = 0; start < topics.length; start += 4) {
    const some = topics.slice(start, start + 4).map((topic) => {
      const path = `/v1/topics/${encodeURIComponent(topic)}/lag?waiting=true`;
      return callPlatform(platform, "GET", path, answer);
    });
    lags.push(...(await Promise.all(some)));
  }
  return lags;
}

export async function lag(platform: PlatformAddress, topic: string | undefined, json: boolean): Promise<void> {
  const topics =
    topic === undefined
      ? // Not /v1/topics, which has also those that the key may not read.
        (await callPlatform(platform, "GET", "/v1/activity", topicsAnswer)).topics.map((each) => each.topic)
      : [topic];
  const lags = await lagsOf(platform, topics);
  if (json) return console.log(JSON.stringify(lags, null, 2));
  for (const line of table(lags)) console.log(line);
}

function table(lags: readonly Lag[]): string[] {
  const columns = [
    "topic",
    "queued_messages",
    "buffered_events",
    "oldest_waits_s",
    "bronze_rows_24h",
    "newest_received",
  ];
  return printTable(
    columns.map((name) => ({ name, numeric: name !== "topic" && name !== "newest_received" })),
    lags.map((each) => [
      each.topic,
      String(each.waiting.queue.messages),
      String(each.waiting.buffers.events),
      secondsWaiting(each),
      String(each.bronze.rows),
      each.bronze.newest_received ?? "",
    ]),
  );
}

/** How long the oldest event waits, in seconds, queue and buffers together; empty if none does. */
export function secondsWaiting({ as_of, waiting }: Lag): string {
  const since = [waiting.queue.oldest_sent, waiting.buffers.oldest_appended].flatMap((time) =>
    time === null ? [] : Date.parse(time),
  );
  if (since.length === 0) return "";
  return String(Math.max(0, Math.round((Date.parse(as_of) - Math.min(...since)) / 1_000)));
}
