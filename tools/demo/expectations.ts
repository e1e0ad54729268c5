/** What the simulators' labels say must come out: counted from the events themselves, before any of them is sent. */
import type { ErrorType } from "../../contracts/verdict.ts";
import type { SimulatedEvent } from "../../producers/simulators/plan.ts";

export interface Expectations {
  readonly sent: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly late: number;
  readonly duplicates: number;
  readonly byErrorType: ReadonlyMap<ErrorType, number>;
  /** Accepted events by topic, copies included. */
  readonly acceptedByTopic: ReadonlyMap<string, number>;
  /** Ids of the events that must be in bronze, once per time they were sent. */
  readonly acceptedIds: readonly { readonly topic: string; readonly eventId: string }[];
}

export function expectationsOf(events: readonly SimulatedEvent[]): Expectations {
  const byErrorType = new Map<ErrorType, number>();
  const acceptedByTopic = new Map<string, number>();
  const acceptedIds: { topic: string; eventId: string }[] = [];
  let duplicates = 0;
  let late = 0;
  for (const { topic, eventId, label } of events) {
    if (label.kind === "fault") {
      byErrorType.set(label.expected, (byErrorType.get(label.expected) ?? 0) + 1);
      continue;
    }
    acceptedByTopic.set(topic, (acceptedByTopic.get(topic) ?? 0) + 1);
    if (eventId !== null) acceptedIds.push({ topic, eventId });
    if (label.kind === "duplicate") duplicates++;
    if (label.kind === "late") late++;
  }
  const rejected = [...byErrorType.values()].reduce((sum, count) => sum + count, 0);
  return {
    sent: events.length,
    accepted: events.length - rejected,
    rejected,
    late,
    duplicates,
    byErrorType,
    acceptedByTopic,
    acceptedIds,
  };
}
