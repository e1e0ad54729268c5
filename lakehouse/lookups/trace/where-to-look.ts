/** What an event's id tells of where it can be: its shard, and, where it is time-ordered, when it was received. Pure. */
import type { Contract } from "../../../contracts/contract.ts";
import { shardOf } from "../../../contracts/shards.ts";
import type { BronzeSearch } from "../../../sql/statements/trace.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What is looked through when nothing says more. */
export const DEFAULT_DAYS = 7;
/** Producers' clocks may be ahead of ours by so much. */
const CLOCK_AHEAD_MS = HOUR_MS;
const SHARD_COUNTS = Array.from({ length: 11 }, (_, power) => 2 ** power);

/** The field that verdicts and dead letters call the event's id. */
export function idField(contract: Contract): string {
  return contract.dedupeKey[0] ?? "event_id";
}

/** The shard of an event by shard count; null where its id does not decide it. */
export function shardsOfId(contract: Contract, eventId: string): Record<string, number> | null {
  const byId = contract.shardKey.length === 1 && contract.shardKey[0] === idField(contract);
  return byId ? Object.fromEntries(SHARD_COUNTS.map((of) => [String(of), shardOf([eventId], of)])) : null;
}

/** Milliseconds since the epoch in which a UUIDv7 was made (RFC 9562, 5.7); undefined for any other text, or a time that cannot be. */
export function madeAt(eventId: string, now: number): number | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(eventId)) return undefined;
  const made = Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16);
  return made <= now + DAY_MS ? made : undefined;
}

/** Registered in which time, and received from when on: seven days from the making of a time-ordered id, or the last seven. */
export function timesToSearch(eventId: string, now: number): Pick<BronzeSearch, "from" | "to" | "receivedFrom"> {
  const made = madeAt(eventId, now);
  const start = made === undefined ? now - DEFAULT_DAYS * DAY_MS : made - CLOCK_AHEAD_MS;
  const end = made === undefined ? now + DAY_MS : start + DEFAULT_DAYS * DAY_MS;
  return {
    from: new Date(start).toISOString(),
    to: new Date(end).toISOString(),
    receivedFrom: made === undefined ? "" : new Date(start).toISOString().slice(0, -1),
  };
}

/** The day after a date. */
export function nextDate(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
}
