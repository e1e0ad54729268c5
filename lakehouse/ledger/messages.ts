/** The messages between gateways and buffers, of one topic: what is on its way and what is suspected to be lost. Pure. */
import type { InstanceHour } from "../../sql/statements/arrivals.ts";
import { findGaps, type Gap, isSuspectedLoss, SUSPECTED_AFTER_MS } from "./gaps.ts";

export interface TopicMessages {
  readonly topic: string;
  /** Numbered messages that arrived. */
  readonly arrived: number;
  /** Missing numbers that may still be in the queue. */
  readonly in_flight: number;
  /** Missing numbers from longer ago than a message takes. */
  readonly suspected_lost: number;
  /** Gateway instances heard of, and those not heard of for an hour: what these numbered last and lost cannot be known. */
  readonly instances: number;
  readonly silent_instances: number;
  /** Suspected losses, the first fifty. */
  readonly gaps: readonly Gap[];
}

const MAX_GAPS = 50;
const HOUR_MS = 3_600_000;

/** By topic. `arrivals` as `arrivalsBetween` gives them from `from` on. */
export function messagesByTopic(arrivals: readonly InstanceHour[], from: string, now: number): TopicMessages[] {
  const gaps = Map.groupBy(findGaps(arrivals, from), (gap) => gap.topic);
  return [...Map.groupBy(arrivals, (line) => line.topic)].map(([topic, lines]) => {
    const [suspected, young] = partition(gaps.get(topic) ?? [], (gap) => isSuspectedLoss(gap, now));
    const lastHeard = new Map(lines.map(({ instance, hour }) => [instance, Date.parse(hour) + HOUR_MS]));
    return {
      topic,
      arrived: total(lines),
      in_flight: total(young),
      suspected_lost: total(suspected),
      instances: lastHeard.size,
      silent_instances: [...lastHeard.values()].filter((heard) => heard + SUSPECTED_AFTER_MS <= now).length,
      gaps: suspected.slice(0, MAX_GAPS),
    };
  });
}

function total(of: readonly { readonly messages: number }[]): number {
  return of.reduce((sum, { messages }) => sum + messages, 0);
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): [T[], T[]] {
  return [all.filter(holds), all.filter((one) => !holds(one))];
}
