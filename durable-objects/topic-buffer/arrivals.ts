/**
 * Which of the messages that gateways numbered have arrived, per hour and gateway instance: how many, the first number and the
 * last. Counts suffice: an instance numbers without gaps, so what is missing between two numbers is their distance less what
 * arrived between them. A message has slices in several shards; the shard of its first slice notes it, so that the shards'
 * counts add up (`lakehouse/ledger/gaps.ts`).
 *
 * The hour is that of the message id: ids and numbers of an instance grow together, so the numbers of an hour lie between those
 * of the hours around it. Hours of reception would overlap.
 */

import { hourText } from "../../schemas/hours.ts";
import { mergeRanges, type NumberRange } from "../../schemas/number-ranges.ts";
import type { Frame } from "../../schemas/packed-block.ts";
import { hourOf } from "./remembered-ids.ts";

/** Messages, first number, last number; numbers that these messages said were not sent, where they said any. */
export type InstanceArrivals = readonly [
  messages: number,
  first: number,
  last: number,
  unsent?: readonly NumberRange[],
];

export interface HourArrivals {
  /** All messages noted, numbered or not. */
  readonly messages: number;
  /** Messages without a running number: those of a receipt, and those of instances past the limit. */
  readonly unnumbered: number;
  readonly instances: Readonly<Record<string, InstanceArrivals>>;
}

export const NO_ARRIVALS: HourArrivals = { messages: 0, unnumbered: 0, instances: {} };

/** Keeps an hour's row under 400 KB, whatever happens; an instance is an isolate, of which a topic sees some dozens. */
export const MAX_INSTANCES = 5_000;

/**
 * Ranges of numbers not sent that an hour's row has of all instances together: 360 KB at the longest numbers. An outage is one range
 * of each instance; sends that fail by turns are many. Numbers past the bound are suspected losses, as they are where a gateway has
 * more than it keeps (`gateway/unsent.ts`): rather a false alarm than a row that no database takes.
 */
export const MAX_RANGES = 10_000;

export type Numbered = Pick<Frame["header"], "gateway" | "sequence" | "request_id" | "unsent">;

/** The headers that this shard notes, by hour (`YYYY-MM-DDTHH:00:00Z`): of frames that hold the first slice of their message. */
export function firstSlicesByHour(frames: readonly Pick<Frame, "header" | "slice">[]): Map<string, Numbered[]> {
  const firsts = frames.filter(({ header, slice }) => slice === header.slices[0]);
  return Map.groupBy(
    firsts.map(({ header }) => header),
    ({ message_id }) => hourText(hourOf(message_id)),
  );
}

/** What is known of an hour, with these messages added: each once, which is the caller's to see to. */
export function withArrivals(known: HourArrivals, headers: readonly Numbered[]): HourArrivals {
  const instances = new Map(Object.entries(known.instances));
  const told = new Map<string, NumberRange[]>();
  let { unnumbered } = known;
  for (const { gateway, sequence, request_id, unsent = [] } of headers) {
    const before = instances.get(gateway);
    // The messages of a receipt are numbered within their request (gateway/idempotency/receipt-naming.ts): a row of its own for each would be one per request.
    if (gateway === request_id || (before === undefined && instances.size >= MAX_INSTANCES)) {
      unnumbered++;
      continue;
    }
    const [messages, first, last, ranges] = before ?? [0, sequence, sequence];
    const counts = [messages + 1, Math.min(first, sequence), Math.max(last, sequence)] as const;
    instances.set(gateway, ranges === undefined ? counts : [...counts, ranges]);
    if (unsent.length === 0) continue;
    const news = told.get(gateway) ?? [];
    news.push(...unsent);
    told.set(gateway, news);
  }
  addUnsent(instances, told);
  return { messages: known.messages + headers.length, unnumbered, instances: Object.fromEntries(instances) };
}

function addUnsent(instances: Map<string, InstanceArrivals>, told: ReadonlyMap<string, readonly NumberRange[]>): void {
  if (told.size === 0) return;
  let room = MAX_RANGES;
  for (const [, , , ranges = []] of instances.values()) room -= ranges.length;
  for (const [gateway, news] of told) {
    const [messages, first, last, ranges = []] = instances.get(gateway) ?? [0, 0, 0];
    const kept = mergeRanges([...ranges, ...news]).slice(0, Math.max(0, ranges.length + room));
    room += ranges.length - kept.length;
    if (kept.length > 0) instances.set(gateway, [messages, first, last, kept]);
  }
}
