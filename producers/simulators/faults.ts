/** Broken events on purpose: each has exactly one thing wrong, so the gateway's verdict on it is known beforehand. */
import type { ErrorType } from "../../contracts/verdict.ts";
import { type AnyEvent, anyTopicFaults } from "./faults/any-topic.ts";
import { appFaults } from "./faults/app-events.ts";
import { campaignFaults } from "./faults/campaign-events.ts";
import { clickFaults } from "./faults/clickstream.ts";
import type { Fault, FaultContext } from "./faults/fault.ts";
import { orderChangeFaults } from "./faults/order-changes.ts";
import { orderFaults } from "./faults/orders.ts";
import { paymentFaults } from "./faults/payments.ts";
import { restaurantFaults } from "./faults/restaurants.ts";
import { userFaults } from "./faults/users.ts";
import { weatherFaults } from "./faults/weather.ts";
import type { Random } from "./random.ts";
import type { ShopEvent, SimulatedTopic } from "./shop.ts";

/** The error types that the simulators provoke, with how often each is drawn relative to the others. */
const FAULT_WEIGHTS = {
  MISSING_FIELD: 18,
  TYPE_MISMATCH: 16,
  INVALID_ENUM: 14,
  INVALID_FORMAT: 14,
  VALUE_OUT_OF_RANGE: 14,
  TIMESTAMP_OUT_OF_RANGE: 8,
  RULE_VIOLATION: 8,
  MALFORMED_PAYLOAD: 5,
  UNKNOWN_SCHEMA: 3,
  // Each is over 100 KB, so a run has one, at most two (`plan.ts`).
  EVENT_TOO_LARGE: 0.05,
} as const satisfies Partial<Record<ErrorType, number>>;

export type SimulatedErrorType = keyof typeof FAULT_WEIGHTS;

/** A broken event: its text, the name of what is wrong, the verdict it must get, and its id where a reader could find one. */
export interface FaultyEvent {
  readonly topic: SimulatedTopic;
  readonly line: string;
  readonly eventId: string | null;
  readonly fault: string;
  readonly expected: SimulatedErrorType;
}

/** The error types that events of these topics can provoke. Every one of them occurs in a long enough run. */
export function faultTypesOf(topics: readonly SimulatedTopic[]): readonly SimulatedErrorType[] {
  return Object.keys(FAULT_WEIGHTS)
    .filter(isSimulatedErrorType)
    .filter((type) => topicsThatGive(type, topics).length > 0);
}

/** An error type by its weight among those that these topics can give. */
export function pickFaultType(random: Random, topics: readonly SimulatedTopic[]): SimulatedErrorType {
  return random.weighted(faultTypesOf(topics).map((type) => [type, FAULT_WEIGHTS[type]] as const));
}

/** The topics among those given whose events can provoke the error type. A shop with orders sends its oversized events there. */
export function topicsThatGive(type: SimulatedErrorType, topics: readonly SimulatedTopic[]): readonly SimulatedTopic[] {
  const giving = topics.filter((topic) => faultsOf(topic).some((fault) => fault.expected === type));
  return type === "EVENT_TOO_LARGE" && giving.includes("orders") ? ["orders"] : giving;
}

/** Breaks a valid event so that it is refused with the error type. Throws RangeError if its topic has no such fault. */
export function corrupt(good: ShopEvent, expected: SimulatedErrorType, context: FaultContext): FaultyEvent {
  switch (good.topic) {
    case "orders":
      return apply(good.topic, good.event, orderFaults, expected, context);
    case "payments":
      return apply(good.topic, good.event, paymentFaults, expected, context);
    case "clickstream":
      return apply(good.topic, good.event, clickFaults, expected, context);
    case "weather":
      return apply(good.topic, good.event, weatherFaults, expected, context);
    case "app_events":
      return apply(good.topic, good.event, appFaults, expected, context);
    case "campaign_events":
      return apply(good.topic, good.event, campaignFaults, expected, context);
    case "order_changes":
      return apply(good.topic, good.event, orderChangeFaults, expected, context);
    case "restaurants":
      return apply(good.topic, good.event, restaurantFaults, expected, context);
    case "users":
      return apply(good.topic, good.event, userFaults, expected, context);
  }
}

function apply<E extends AnyEvent>(
  topic: SimulatedTopic,
  event: E,
  faults: readonly Fault<E>[],
  expected: SimulatedErrorType,
  context: FaultContext,
): FaultyEvent {
  const own = faults.filter((fault) => fault.expected === expected);
  // Size is no matter of the event's own fields where it has a list to fill, so the common way is for the others.
  const common = expected === "EVENT_TOO_LARGE" && own.length > 0 ? [] : anyTopicFaults;
  const fault = context.random.pick<Fault<E>>([...own, ...common.filter((one) => one.expected === expected)]);
  const line = fault.corrupt(event, context);
  return { topic, line, eventId: fault.hidesId === true ? null : event.event_id, fault: fault.name, expected };
}

const OWN_FAULTS: Readonly<Record<SimulatedTopic, readonly { readonly name: string; readonly expected: ErrorType }[]>> =
  {
    orders: orderFaults,
    payments: paymentFaults,
    clickstream: clickFaults,
    weather: weatherFaults,
    app_events: appFaults,
    campaign_events: campaignFaults,
    order_changes: orderChangeFaults,
    restaurants: restaurantFaults,
    users: userFaults,
  };

/** What can be wrong with a topic's events: its own faults, and those of any event. */
export function faultsOf(topic: SimulatedTopic): readonly { readonly name: string; readonly expected: ErrorType }[] {
  return [...OWN_FAULTS[topic], ...anyTopicFaults];
}

function isSimulatedErrorType(type: string): type is SimulatedErrorType {
  return Object.hasOwn(FAULT_WEIGHTS, type);
}
