/**
 * Which of the messages that gateways numbered have arrived, per hour and gateway instance: how many, the first number and the
 * last. Counts suffice: an instance numbers without gaps, so what is missing between two numbers is their distance less what
 * arrived between them. A message has slices in several shards; the shard of its first slice notes it, so that the shards'
 * counts add up (`lakehouse/ledger/gaps.ts`).
 *
 * The hour is that of the message id: ids and numbers of an instance grow together, so the numbers of an hour lie between those
 * of the hours around it. Hours of reception would overlap.
 */
import { mergeRanges, type NumberRange } from "../../schemas/number-ranges.ts";
import type { Frame } from "../../schemas/packed-block.ts";
import { hourOf, hourText } from "./remembered-ids.ts";

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
  let { unnumbered } = known;
  for (const { gateway, sequence, request_id, unsent = [] } of headers) {
    const before = instances.get(gateway);
    // The messages of a receipt are numbered within their request (gateway/idempotency/receipt-naming.ts): a row of its own for each would be one per request.
    if (gateway === request_id || (before === undefined && instances.size >= MAX_INSTANCES)) {
      unnumbered++;
      continue;
    }
    const [messages, first, last, told = []] = before ?? [0, sequence, sequence];
    const all = unsent.length === 0 ? told : mergeRanges([...told, ...unsent]);
    const counts = [messages + 1, Math.min(first, sequence), Math.max(last, sequence)] as const;
    instances.set(gateway, all.length === 0 ? counts : [...counts, all]);
  }
  return { messages: known.messages + headers.length, unnumbered, instances: Object.fromEntries(instances) };
}
