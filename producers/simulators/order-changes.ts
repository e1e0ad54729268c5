/** The order database's log of row changes: each order from its insert to its last status, sometimes to its deletion. */
import { Agenda } from "./agenda.ts";
import { type Currency, MARKETS, pickCustomer, pickDish, priceIn } from "./catalogue.ts";
import type { OrderStatus } from "./orders.ts";
import type { PolledSource } from "./polling.ts";
import type { Random } from "./random.ts";
import { EVENTS_PER_MINUTE } from "./topics.ts";

/** A row of the table of orders. */
export interface OrderRow {
  readonly order_id: string;
  readonly customer_id: string;
  readonly status: OrderStatus;
  readonly currency: Currency;
  readonly amount: number;
  readonly channel: "web" | "mobile" | "store";
  readonly coupon?: string;
  readonly updated_at: string;
}

/** An event of the topic `order_changes`, as it goes over the wire. Without a row before, log readers write null. */
export interface OrderChangeEvent {
  readonly event_id: string;
  readonly order_id: string;
  readonly op: "insert" | "update" | "delete";
  readonly event_timestamp: string;
  readonly transaction_id: number;
  readonly lsn: number;
  readonly before: OrderRow | null;
  readonly after: OrderRow | null;
}

export interface OrderChangeGenerator {
  /** The log's next change, at this virtual time (milliseconds since the epoch, never decreasing). */
  next(nowMs: number): OrderChangeEvent;
}

interface Change {
  readonly atMs: number;
  readonly before: OrderRow | null;
  readonly after: OrderRow | null;
}

const MINUTE_MS = 60_000;
/** Positions in the log count from here, so many a millisecond: beyond any rate, and exact in a double for two centuries. */
const LOG_STARTED_MS = Date.UTC(2026, 0, 1);
const POSITIONS_PER_MS = 1_000;
/** A database is polled this often. */
const POLL_MS = 30_000;
/** No change of an order is longer in coming, and there are at most five after the first. */
const LONGEST_WAIT_MINUTES = 15;
const LONGEST_LIFE_MS = 5 * LONGEST_WAIT_MINUTES * MINUTE_MS;
/** What the log still holds when it is read from its beginning. */
const LOG_KEPT_MS = 60 * MINUTE_MS;
/** Inserts, status changes, corrections and deletions of an order, on average. */
const CHANGES_PER_ORDER = 4.2;

const STEPS: readonly (readonly [status: OrderStatus, least: number, further: number])[] = [
  ["confirmed", 1, 2],
  ["shipped", 6, 8],
  ["delivered", 5, 10],
];

/** All changes of one order, in their order, the first at `placedMs`. `pace` scales the time between them, as in `createOrders`. */
function lifeOf(random: Random, placedMs: number, pace: number): Change[] {
  const market = random.weighted(MARKETS);
  const dishes = Array.from({ length: random.int(1, 5) }, () => priceIn(market, pickDish(random)) * random.int(1, 3));
  const changes: Change[] = [];
  let row: OrderRow = {
    order_id: `ord_${random.id(12)}`,
    customer_id: pickCustomer(random),
    status: "placed",
    currency: market.currency,
    amount: dishes.reduce((sum, cents) => sum + cents, 0) / 100,
    channel: random.pick(["web", "mobile", "mobile", "store"] as const),
    updated_at: new Date(placedMs).toISOString(),
  };
  let atMs = placedMs;
  changes.push({ atMs, before: null, after: row });

  function wait(least: number, further: number): void {
    const minutes = Math.min(least + random.exponential(further), LONGEST_WAIT_MINUTES);
    // Never two changes of a row in one millisecond.
    atMs += Math.max(1, Math.floor(minutes * MINUTE_MS * pace));
  }
  function update(fields: Partial<OrderRow>): void {
    const after = { ...row, ...fields, updated_at: new Date(atMs).toISOString() };
    changes.push({ atMs, before: row, after });
    row = after;
  }

  for (const [status, least, further] of STEPS) {
    if (status !== "delivered" && random.chance(0.05)) {
      wait(1, 4);
      update({ status: "cancelled" });
      break;
    }
    if (status === "confirmed" && random.chance(0.12)) {
      wait(0.2, 0.5);
      update({ coupon: random.pick(["WELCOME10", "FREESHIP", "LUNCH5"]) });
    }
    wait(least, further);
    update({ status });
  }
  // Customers may have what is over be forgotten.
  if (random.chance(0.05)) {
    wait(2, 8);
    changes.push({ atMs, before: row, after: null });
  }
  return changes;
}

function eventOf({ before, after }: Change, atMs: number, position: number): OrderChangeEvent {
  const lsn = (atMs - LOG_STARTED_MS) * POSITIONS_PER_MS + position + 1;
  return {
    event_id: `orders:${lsn}`,
    order_id: (after ?? before)?.order_id ?? "",
    op: before === null ? "insert" : after === null ? "delete" : "update",
    event_timestamp: new Date(atMs).toISOString(),
    // What stands side by side in the log was committed together.
    transaction_id: Math.floor(lsn / 8) + 1,
    lsn,
    before,
    after,
  };
}

/** Changes at the caller's pace, for runs that are counted in events: what is due, else a new order. */
export function createOrderChanges(random: Random, pace: number): OrderChangeGenerator {
  const agenda = new Agenda<Change>();
  let lastMs = 0;
  let position = 0;
  return {
    next(nowMs) {
      const due = (agenda.nextDueMs ?? Number.POSITIVE_INFINITY) <= nowMs && !random.chance(0.2);
      let change = due ? agenda.take() : undefined;
      if (change === undefined) {
        const [first, ...later] = lifeOf(random, nowMs, pace);
        for (const each of later) agenda.add(each.atMs, each);
        change = first;
      }
      if (change === undefined) throw new RangeError("an order without a change");
      position = nowMs === lastMs ? position + 1 : 0;
      lastMs = nowMs;
      return eventOf(change, nowMs, position);
    },
  };
}

/**
 * The log itself, read past a commit time. `speed` 1 is the usual number of changes a minute; orders are placed at regular
 * instants of the clock. In a faster world orders live faster too, and the log is kept for less long: a poll's work stays the
 * work of its own changes.
 */
export function orderLog(random: Random, speed: number): PolledSource<OrderChangeEvent> {
  const everyMs = Math.max(1, Math.round((MINUTE_MS * CHANGES_PER_ORDER) / (EVENTS_PER_MINUTE.order_changes * speed)));
  const pace = 1 / Math.max(1, speed);
  return {
    topic: "order_changes",
    everyMs: POLL_MS,
    poll(watermarkMs, nowMs) {
      const fromMs = watermarkMs ?? nowMs - Math.ceil(LOG_KEPT_MS * pace);
      const changes: Change[] = [];
      // A change comes a millisecond after the one before, however fast the world: hence the second.
      const first = Math.floor((fromMs - LONGEST_LIFE_MS * pace - 1_000) / everyMs);
      for (let number = first; number * everyMs <= nowMs; number++) {
        // Drawn from the order's own stream, whose ids have no salt: they are the same in every run.
        const life = lifeOf(random.fork(`order ${number}`), number * everyMs, pace);
        changes.push(...life.filter(({ atMs }) => atMs > fromMs && atMs <= nowMs));
      }
      changes.sort((a, b) => a.atMs - b.atMs);
      let position = 0;
      const events = changes.map((change, index) => {
        position = changes[index - 1]?.atMs === change.atMs ? position + 1 : 0;
        return eventOf(change, change.atMs, position);
      });
      return { events, watermarkMs: changes.at(-1)?.atMs ?? fromMs };
    },
  };
}
