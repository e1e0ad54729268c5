/** `sluice topics flush`: which shards had something to write. */
import * as z from "zod";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const answer = z.object({
  events: z.int(),
  shards: z.array(z.object({ shard: z.int(), of: z.int(), events: z.int(), oldest_appended: z.string().nullable() })),
});

export async function flush(platform: PlatformAddress, topic: string, json: boolean): Promise<void> {
  const found = await callPlatform(platform, "POST", `/v1/topics/${encodeURIComponent(topic)}/flush`, answer);
  if (json) return console.log(JSON.stringify(found, null, 2));
  for (const { shard, of, events, oldest_appended } of found.shards) {
    if (events > 0) console.log(`shard ${shard} of ${of}: ${events} events, the oldest since ${oldest_appended ?? ""}`);
  }
  const { length } = found.shards;
  if (length === 0) return console.log(`Nothing to flush: no buffer of ${topic} has had an event yet.`);
  console.log(
    found.events === 0
      ? `Nothing to flush: the buffers of ${topic} (${length}) hold no event.`
      : `${found.events} events are on their way to bronze; sluice topics lag ${topic} says when they are there.`,
  );
}
