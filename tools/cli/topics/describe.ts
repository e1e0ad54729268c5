/** `sluice topics describe`: one topic, as its contract and the catalog have it. */
import * as z from "zod";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const detail = z.looseObject({
  topic: z.string(),
  description: z.string(),
  contract_version: z.string(),
  mode: z.string(),
  dedupe_key: z.array(z.string()),
  event_time: z.string(),
  unknown_fields: z.string(),
  replay_window_ms: z.number(),
  accepts_events: z.boolean(),
  service_levels: z.object({
    latency_ms: z.number().nullable(),
    freshness_ms: z.number().nullable(),
    completeness_percent: z.number().nullable(),
    retention_ms: z.number().nullable(),
  }),
  schemas: z.array(z.looseObject({ id: z.int(), version: z.int(), retired: z.boolean().optional() })),
  fields: z.array(z.unknown()),
  rules: z.array(z.unknown()),
});
const activity = z.object({
  from_hour: z.string(),
  shards: z.int(),
  accepted: z.int(),
  rejected: z.int(),
  newest_received: z.string().nullable(),
  published_at: z.string().nullable(),
  flush: z.object({ bytes: z.int(), rows: z.int(), age_ms: z.int() }),
  partitions: z.array(z.object({ status: z.string(), partitions: z.int(), newest: z.string() })),
  drift: z.array(z.object({ pointer: z.string().nullable(), first_seen: z.string(), last_seen: z.string() })),
});

export async function describe(platform: PlatformAddress, topic: string, hours: number, json: boolean): Promise<void> {
  const path = `/v1/topics/${encodeURIComponent(topic)}`;
  const [contract, state] = await Promise.all([
    callPlatform(platform, "GET", path, detail),
    callPlatform(platform, "GET", `${path}/activity?hours=${hours}`, activity),
  ]);
  if (json) return console.log(JSON.stringify({ ...contract, activity: state }, null, 2));
  for (const [name, value] of linesOf(contract, state)) console.log(`${name.padEnd(18)}${value}`);
}

function linesOf(contract: z.infer<typeof detail>, state: z.infer<typeof activity>): [string, string][] {
  const levels = contract.service_levels;
  const versions = contract.schemas.map(
    ({ id, version, retired }) => `v${version} (${id})${retired ? " retired" : ""}`,
  );
  return [
    ["topic", `${contract.topic}: ${contract.description}`],
    ["contract", `${contract.contract_version}; fields: ${contract.fields.length}, rules: ${contract.rules.length}`],
    ["schema versions", versions.join(", ")],
    ["written by", contract.accepts_events ? "producers" : "the platform"],
    ["mode", `${contract.mode}, key ${contract.dedupe_key.join(", ")}, event time ${contract.event_time}`],
    ["unknown fields", `${contract.unknown_fields}; ${driftText(state.drift)}`],
    ["shards", String(state.shards)],
    ["flush at", `${state.flush.bytes} bytes, ${state.flush.rows} rows or ${duration(state.flush.age_ms)}`],
    ["latency", levels.latency_ms === null ? "not promised" : duration(levels.latency_ms)],
    ["freshness", levels.freshness_ms === null ? "not promised" : duration(levels.freshness_ms)],
    ["completeness", levels.completeness_percent === null ? "not promised" : `${levels.completeness_percent}%`],
    ["bronze kept", levels.retention_ms === null ? "for good" : duration(levels.retention_ms)],
    ["replay window", duration(contract.replay_window_ms)],
    ["accepted", `${state.accepted}, rejected ${state.rejected} (received from ${state.from_hour} on)`],
    ["newest in bronze", state.newest_received ?? "nothing"],
    ["silver published", state.published_at ?? "never"],
    ["partitions", state.partitions.map((each) => `${each.partitions} ${each.status}`).join(", ") || "none"],
  ];
}

const MOST_SHOWN = 10;

/** The fields that events bring and the contract does not have. */
function driftText(drift: z.infer<typeof activity>["drift"]): string {
  if (drift.length === 0) return "none seen";
  const shown = drift.slice(0, MOST_SHOWN).map(({ pointer, last_seen: last }) => {
    return `${pointer ?? "sealed ones"} (last ${last})`;
  });
  const more = drift.length > shown.length ? ` and ${drift.length - shown.length} more` : "";
  return `${shown.join(", ")}${more}`;
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** Milliseconds in the largest unit that divides them: 7d, 90s. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}
