/** `sluice topics list`: every topic with what it took in lately and what waits. */
import * as z from "zod";
import { printTable } from "../../lake/print-table.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import { lagsOf, secondsWaiting } from "./lag.ts";

const answer = z.object({
  from_hour: z.string(),
  topics: z.array(
    z.object({
      topic: z.string(),
      contract_version: z.string(),
      shards: z.int(),
      accepted: z.int(),
      rejected: z.int(),
    }),
  ),
});

export async function list(platform: PlatformAddress, hours: number, json: boolean): Promise<void> {
  const { from_hour, topics } = await callPlatform(platform, "GET", `/v1/activity?hours=${hours}`, answer);
  const lags = await lagsOf(
    platform,
    topics.map(({ topic }) => topic),
  );
  const rows = topics.map((each) => {
    const lag = lags.find(({ topic }) => topic === each.topic);
    const waits = lag === undefined ? "" : secondsWaiting(lag);
    return { ...each, buffered: lag?.waiting.buffers.events ?? 0, oldest_waits_s: waits === "" ? null : Number(waits) };
  });
  if (json) return console.log(JSON.stringify({ from_hour, topics: rows }, null, 2));
  const columns = [
    "topic",
    "contract_version",
    "shards",
    "accepted",
    "rejected",
    "buffered",
    "oldest_waits_s",
  ] as const;
  const numeric = (name: string): boolean => name !== "topic" && name !== "contract_version";
  const cells = rows.map((row) => columns.map((name) => String(row[name] ?? "")));
  for (const line of printTable(
    columns.map((name) => ({ name, numeric: numeric(name) })),
    cells,
  ))
    console.log(line);
  console.log(`accepted and rejected: received from ${from_hour} on, as the last flushes told`);
}
