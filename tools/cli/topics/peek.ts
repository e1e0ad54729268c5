/** `sluice topics peek`: the newest events as JSON lines. */
import * as z from "zod";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const answer = z.object({ topic: z.string(), events: z.array(z.object({ received: z.string(), event: z.unknown() })) });

export interface PeekFlags {
  readonly limit: number;
  readonly from: string | undefined;
  /** With the times of reception. */
  readonly json: boolean;
}

export async function peek(platform: PlatformAddress, topic: string, flags: PeekFlags): Promise<void> {
  const query = new URLSearchParams({ limit: String(flags.limit) });
  if (flags.from !== undefined) query.set("from", flags.from);
  const path = `/v1/topics/${encodeURIComponent(topic)}/events?${query}`;
  const { events } = await callPlatform(platform, "GET", path, answer);
  if (flags.json) return console.log(JSON.stringify(events, null, 2));
  for (const { event } of events) console.log(JSON.stringify(event));
  if (events.length === 0)
    console.error(`Bronze has no such event of ${topic}; buffers may: sluice topics lag ${topic}`);
}
