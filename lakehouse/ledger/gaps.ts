/** Which numbered messages never arrived, from what did (`durable-objects/topic-buffer/arrivals.ts`). Pure. */
import { countWithin, mergeRanges } from "../../schemas/number-ranges.ts";
import type { InstanceHour } from "../../sql/statements/arrivals.ts";

/** Numbers of one gateway instance that are missing before a number that it gave in `hour`. */
export interface Gap {
  readonly topic: string;
  readonly instance: string;
  /** `YYYY-MM-DDTHH:00:00Z`: the missing messages were made in this hour or before. */
  readonly hour: string;
  readonly messages: number;
}

const HOUR_MS = 3_600_000;

/** A message that did not arrive within an hour is suspected to be lost (PROTOCOLS 3): queues deliver in seconds. */
export const SUSPECTED_AFTER_MS = HOUR_MS;

/**
 * Every gap, by topic, instance and hour. `arrivals` are ordered so and begin at `from`: an instance that is older has earlier
 * numbers, which are not judged. A number that the gateway says it failed to send is no gap, whenever it says so. What an instance
 * numbered after the last message that arrived cannot be known.
 */
export function findGaps(arrivals: readonly InstanceHour[], from: string): Gap[] {
  return [...Map.groupBy(arrivals, ({ topic, instance }) => `${topic} ${instance}`).values()].flatMap((hours) =>
    gapsOfInstance(hours, Date.parse(from)),
  );
}

function gapsOfInstance(hours: readonly InstanceHour[], from: number): Gap[] {
  const gaps: Gap[] = [];
  const unsent = mergeRanges(hours.flatMap((line) => line.unsent));
  const start = bornAt(hours[0]?.instance ?? "") >= from ? 0 : (hours[0]?.first ?? 1) - 1;
  let last = start;
  let arrived = 0;
  let known = 0;
  for (const { topic, instance, hour, messages, last: lastOfHour } of hours) {
    last = Math.max(last, lastOfHour);
    arrived += messages;
    const missing = last - start - arrived - countWithin(unsent, start, last) - known;
    if (missing <= 0) continue;
    known += missing;
    gaps.push({ topic, instance, hour, messages: missing });
  }
  return gaps;
}

/** Whether all messages of a gap were made longer ago than a message takes. */
export function isSuspectedLoss(gap: Gap, now: number): boolean {
  return Date.parse(gap.hour) + HOUR_MS + SUSPECTED_AFTER_MS <= now;
}

/** Milliseconds since the epoch when an instance named itself: its id is a UUIDv7 (RFC 9562, 5.7). Of another id nothing is known. */
function bornAt(instance: string): number {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(instance)) return Number.NEGATIVE_INFINITY;
  return Number.parseInt(instance.slice(0, 8) + instance.slice(9, 13), 16);
}
