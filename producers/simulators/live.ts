/** A live simulation: which producers stream, which databases are polled, and what one poll sends. Pure: the clock is the caller's. */
import { corrupt, faultTypesOf, pickFaultType } from "./faults.ts";
import { orderLog } from "./order-changes.ts";
import type { SimulatedEvent } from "./plan.ts";
import type { PolledSource } from "./polling.ts";
import { createRandom } from "./random.ts";
import { restaurantSnapshots } from "./restaurants.ts";
import type { ShopEvent } from "./shop.ts";
import {
  EVENTS_PER_MINUTE,
  isPolled,
  isStreamed,
  type PolledTopic,
  type SimulatedTopic,
  type StreamedTopic,
} from "./topics.ts";
import { userExtracts } from "./users.ts";

export interface LivePlan {
  readonly streamed: readonly StreamedTopic[];
  readonly polled: readonly PolledTopic[];
  /** Of the streamed topics together; 0 if there are none. */
  readonly eventsPerSecond: number;
  readonly shares: Readonly<Partial<Record<SimulatedTopic, number>>>;
  /** How much faster than usual everything but the clock goes: the order database too. */
  readonly speed: number;
}

/**
 * Shares a rate (events a second) out among the topics that never rest, in their usual proportions; null: the usual rate.
 * Snapshots and extracts keep to the clock's hours and days at any rate.
 */
export function livePlan(topics: readonly SimulatedTopic[], rate: number | null): LivePlan {
  const streamed = topics.filter(isStreamed);
  const streamedUsual = streamed.reduce((sum, topic) => sum + EVENTS_PER_MINUTE[topic], 0) / 60;
  const usual = streamedUsual + (topics.includes("order_changes") ? EVENTS_PER_MINUTE.order_changes / 60 : 0);
  const speed = rate === null || usual === 0 ? 1 : rate / usual;
  return {
    streamed,
    polled: topics.filter(isPolled),
    eventsPerSecond: streamedUsual * speed,
    shares: EVENTS_PER_MINUTE,
    speed,
  };
}

/** What a poll sends, labelled, and the watermark once all of it has a verdict. */
export interface LabelledPoll {
  readonly events: readonly SimulatedEvent[];
  readonly watermarkMs: number;
}

export interface LiveSource {
  readonly topic: PolledTopic;
  readonly everyMs: number;
  poll(watermarkMs: number | null, nowMs: number): LabelledPoll;
}

const FAULT_RATE = 0.05;

/** The database behind a polled topic. The same seed gives the same rows at the same time of the clock, in any run. */
export function liveSource(topic: PolledTopic, seed: number, speed: number): LiveSource {
  const random = createRandom(seed).fork(topic);
  switch (topic) {
    case "order_changes":
      return labelled(orderLog(random, speed), (event) => ({ topic, event }), seed);
    case "restaurants":
      return labelled(restaurantSnapshots(random), (event) => ({ topic, event }), seed);
    case "users":
      return labelled(userExtracts(random), (event) => ({ topic, event }), seed);
  }
}

// Every row is sent as it is; a broken one is an extra, under an id of its own, so that what is polled stays whole.
function labelled<E extends ShopEvent["event"]>(
  source: PolledSource<E>,
  inShop: (event: E) => ShopEvent,
  seed: number,
): LiveSource {
  const { topic, everyMs } = source;
  return {
    topic,
    everyMs,
    poll(watermarkMs, nowMs) {
      const batch = source.poll(watermarkMs, nowMs);
      const random = createRandom(seed, `${nowMs}`).fork(`${topic} faults ${nowMs}`);
      const events = batch.events.flatMap((event): SimulatedEvent[] => {
        const good: SimulatedEvent = {
          topic,
          line: JSON.stringify(event),
          eventId: event.event_id,
          label: { kind: "good" },
        };
        if (!random.chance(FAULT_RATE)) return [good];
        const type = pickFaultType(random, [topic]);
        // A hundred kilobytes in every poll would be the most of what is sent.
        const expected = type === "EVENT_TOO_LARGE" ? (faultTypesOf([topic])[0] ?? type) : type;
        const made = corrupt(inShop({ ...event, event_id: random.uuid() }), expected, { random, receivedMs: nowMs });
        return [good, { ...made, label: { kind: "fault", expected: made.expected, fault: made.fault } }];
      });
      return { events, watermarkMs: batch.watermarkMs };
    },
  };
}
