/** A run of simulated producers: what is sent, in which order, and what the gateway must say of it. */
import { contractOf } from "../../contracts/registry.ts";
import { corrupt, faultTypesOf, pickFaultType, type SimulatedErrorType, topicsThatGive } from "./faults.ts";
import { createRandom, type Random } from "./random.ts";
import { createShop, type Shop, type ShopEvent, SIMULATED_TOPICS, type SimulatedTopic } from "./shop.ts";

/** What the event is, known apart from its bytes. All but faults are valid and must be accepted. */
export type Label =
  | { readonly kind: "good" }
  /** The same bytes as an earlier good or late event: a producer's retry. */
  | { readonly kind: "duplicate"; readonly of: string }
  /** Its event time lies this many milliseconds (1 to 40 hours) before its place in the run. */
  | { readonly kind: "late"; readonly behindMs: number }
  | { readonly kind: "fault"; readonly expected: SimulatedErrorType; readonly fault: string };

/** One thing to send: the event's JSON text (for some faults: not JSON at all), without a line end. */
export interface SimulatedEvent {
  readonly topic: SimulatedTopic;
  readonly line: string;
  readonly eventId: string | null;
  readonly label: Label;
}

export interface SimulationOptions {
  readonly seed: number;
  /** The shop's four if not given. */
  readonly topics?: readonly SimulatedTopic[];
  /** How many of the events are of which topic, relative to each other. */
  readonly shares?: Readonly<Partial<Record<SimulatedTopic, number>>>;
  /** How many things are sent, faults and duplicates among them. */
  readonly events: number;
  /** Event times run from here ... */
  readonly startMs: number;
  /** ... to here (milliseconds since the epoch), which is taken for the time of reception. */
  readonly endMs: number;
  readonly faultRate?: number;
  readonly duplicateRate?: number;
  readonly lateRate?: number;
}

const HOUR_MS = 3_600_000;

/** Shares of a shop's traffic, unless a run has its own. */
const TOPIC_SHARES: Readonly<Record<SimulatedTopic, number>> = {
  clickstream: 60,
  orders: 18,
  payments: 17,
  weather: 5,
  app_events: 20,
  campaign_events: 10,
  order_changes: 12,
  restaurants: 4,
  users: 4,
};

const LATEST_HOURS = 40;
const LEAST_LATE_HOURS = 1;
/** Late events arrive in this many bursts, each from another time: devices come back online one after the other. */
const LATE_BURSTS = 12;
/** Room for a run to be sent after `endMs` and its oldest event still to be inside the contract's window. */
const SENDING_MS = 2 * HOUR_MS;
/** An order takes most of an hour; a window of less than this is lived at a faster pace, so that orders finish in it. */
const UNHURRIED_MS = 3 * HOUR_MS;
/** A producer's retry repeats one of this many latest valid events. */
const RETRY_REACH = 500;
/** Until each error type has occurred, one is due at least this often: all ten within the first thousand events. */
const FIRST_FAULTS_EVERY = 100;
const MAX_OVERSIZED = 2;

/**
 * Exactly `events` things to send, the same bytes for the same options. Event times rise from `startMs` to `endMs`, save
 * those of late events and faults. With 2,000 events or more each error type that the topics can give occurs, unless
 * `faultRate` is 0. Good events come from a live shop, late ones from another that was offline, broken ones from a third,
 * so that the good events are a consistent world by themselves. Throws RangeError for rates that make no sense and for a
 * window so long that its start is outside a contract's event-time window at `endMs`.
 */
export function simulate(options: SimulationOptions): Iterable<SimulatedEvent> {
  const run = checked(options);
  return { [Symbol.iterator]: () => events(run) };
}

type Run = Required<SimulationOptions> & { readonly earliestMs: number };

function* events(run: Run): Generator<SimulatedEvent> {
  const random = createRandom(run.seed, `${run.startMs}-${run.endMs}`);
  const spanMs = run.endMs - run.startMs;
  const pace = Math.min(1, spanMs / UNHURRIED_MS);
  const choices = random.fork("plan");
  const live = createShop(random.fork("live"), run.topics, pace);
  const offline = createShop(random.fork("offline"), run.topics, 1);
  const faults = createFaults(random.fork("faults"), createShop(random.fork("faulty"), run.topics, pace), run);
  const latest: ValidEvent[] = [];
  let valid = 0;

  for (let index = 0; index < run.events; index++) {
    const progress = (index + choices.float()) / run.events;
    const nowMs = Math.floor(run.startMs + progress * spanMs);
    const fate = choices.float();
    const topic = pickTopic(choices, run.topics, run.shares);
    if (fate < run.faultRate || faults.isDue(index)) {
      yield faults.next(nowMs);
      continue;
    }
    if (fate < run.faultRate + run.duplicateRate && latest.length > 0) {
      yield repeated(choices.pick(latest));
      continue;
    }
    const late = fate >= 1 - run.lateRate;
    const timeMs = late ? Math.max(run.earliestMs, nowMs - behindAt(progress)) : nowMs;
    const made = (late ? offline : live).next(topic, timeMs);
    const event = labelled(made, late ? { kind: "late", behindMs: nowMs - timeMs } : { kind: "good" });
    latest[valid % RETRY_REACH] = event;
    valid += 1;
    yield event;
  }
}

interface ValidEvent extends SimulatedEvent {
  readonly eventId: string;
}

function labelled({ topic, event }: ShopEvent, label: Label): ValidEvent {
  return { topic, line: JSON.stringify(event), eventId: event.event_id, label };
}

function repeated(original: ValidEvent): SimulatedEvent {
  return { ...original, label: { kind: "duplicate", of: original.eventId } };
}

/** How long before `now` the offline shop lived what arrives at this point of the run (0 to 1): the oldest comes first. */
function behindAt(progress: number): number {
  const burst = Math.floor(progress * LATE_BURSTS) / (LATE_BURSTS - 1);
  return Math.round((LATEST_HOURS - (LATEST_HOURS - LEAST_LATE_HOURS) * burst) * HOUR_MS);
}

function pickTopic(random: Random, topics: readonly SimulatedTopic[], shares: Run["shares"]): SimulatedTopic {
  return random.weighted(topics.map((topic) => [topic, shares[topic] ?? TOPIC_SHARES[topic]] as const));
}

interface Faults {
  /** Whether the next thing must be a fault, for each type to occur early. */
  isDue(index: number): boolean;
  next(nowMs: number): SimulatedEvent;
}

function createFaults(random: Random, shop: Shop, run: Run): Faults {
  const outstanding = run.faultRate > 0 ? [...faultTypesOf(run.topics)] : [];
  let dueAt = FIRST_FAULTS_EVERY;
  let oversized = 0;

  function nextType(): SimulatedErrorType {
    const [first] = outstanding.splice(random.int(0, Math.max(0, outstanding.length - 1)), 1);
    if (first !== undefined) return first;
    const drawn = pickFaultType(random, run.topics);
    return drawn === "EVENT_TOO_LARGE" && oversized >= MAX_OVERSIZED ? nextType() : drawn;
  }

  return {
    isDue: (index) => outstanding.length > 0 && index >= dueAt,
    next(nowMs) {
      dueAt += FIRST_FAULTS_EVERY;
      const type = nextType();
      if (type === "EVENT_TOO_LARGE") oversized += 1;
      const good = shop.next(pickTopic(random, topicsThatGive(type, run.topics), run.shares), nowMs);
      const { topic, line, eventId, fault, expected } = corrupt(good, type, { random, receivedMs: run.endMs });
      return { topic, line, eventId, label: { kind: "fault", expected, fault } };
    },
  };
}

function checked(options: SimulationOptions): Run {
  const { topics = SIMULATED_TOPICS, faultRate = 0.05, duplicateRate = 0.02, lateRate = 0.03 } = options;
  const { seed, events, startMs, endMs, shares = {} } = options;
  if (topics.length === 0) throw new RangeError("no topics to simulate");
  if (!Number.isSafeInteger(events) || events < 0) throw new RangeError(`events must be a whole number, got ${events}`);
  if (!(startMs <= endMs)) throw new RangeError("the window ends before it starts");
  if (![faultRate, duplicateRate, lateRate].every((rate) => rate >= 0) || faultRate + duplicateRate + lateRate > 1) {
    throw new RangeError("rates must be at least 0 and add up to at most 1");
  }
  const earliestMs = Math.max(...topics.map((topic) => earliestEventTime(topic, endMs)));
  if (startMs - (lateRate > 0 ? LEAST_LATE_HOURS * HOUR_MS : 0) < earliestMs) {
    throw new RangeError("the window starts too long before its end: its oldest events would be refused on reception");
  }
  return { seed, topics, shares, events, startMs, endMs, faultRate, duplicateRate, lateRate, earliestMs };
}

function earliestEventTime(topic: SimulatedTopic, receivedMs: number): number {
  const window = contractOf(topic)?.eventTimeWindow;
  return window === undefined || window === null ? Number.NEGATIVE_INFINITY : receivedMs - window.pastMs + SENDING_MS;
}
