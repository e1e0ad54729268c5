/** Orders on their way from placed to delivered, in a shop that delivers within the hour. */
import { Agenda } from "./agenda.ts";
import { type Currency, MARKETS, type Market, pickCustomer, pickDish, priceIn } from "./catalogue.ts";
import type { Random } from "./random.ts";

export type OrderStatus = "placed" | "confirmed" | "shipped" | "delivered" | "cancelled";

export interface OrderItem {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unit_price: number;
}

/** An event of the topic `orders`, as it goes over the wire. Amounts have at most two decimals. */
export interface OrderEvent {
  readonly event_id: string;
  readonly order_id: string;
  readonly customer_id: string;
  readonly event_timestamp: string;
  readonly status: OrderStatus;
  readonly currency: Currency;
  readonly amount: number;
  readonly channel: "web" | "mobile" | "store";
  readonly items: readonly OrderItem[];
  readonly coupon?: string | null;
  /** Since schema version 2. */
  readonly delivery_fee?: number;
  readonly gift?: boolean;
  readonly schema_version?: number;
}

export interface OrderGenerator {
  /** The shop's next order event, at this virtual time (milliseconds since the epoch, never decreasing). */
  next(nowMs: number): OrderEvent;
}

type Order = Omit<OrderEvent, "event_id" | "event_timestamp" | "status">;

interface Step {
  readonly order: Order;
  readonly status: OrderStatus;
}

const MINUTE_MS = 60_000;

/** Chance of a new order while others wait for their next status: about one in an order's mean number of events. */
const NEW_ORDER_CHANCE = 0.28;

/** What may follow a status: with which weight, after at least and on average how many further minutes. */
const NEXT_STATUS: Readonly<
  Record<OrderStatus, readonly (readonly [next: [OrderStatus, least: number, further: number], weight: number])[]>
> = {
  placed: [
    [["confirmed", 1, 2], 94],
    [["cancelled", 1, 4], 6],
  ],
  confirmed: [
    [["shipped", 8, 8], 97],
    [["cancelled", 2, 6], 3],
  ],
  shipped: [[["delivered", 6, 12], 1]],
  delivered: [],
  cancelled: [],
};

/**
 * Orders of one shop. `pace` scales the time between statuses: 1 is real time, less lets orders finish within a short
 * window. The number of orders under way follows from how often `next` is called.
 */
export function createOrders(random: Random, pace: number): OrderGenerator {
  const agenda = new Agenda<Step>();

  function advance(step: Step, nowMs: number): OrderEvent {
    const following = NEXT_STATUS[step.status];
    if (following.length > 0) {
      const [status, least, further] = random.weighted(following);
      const delayMs = (least + random.exponential(further)) * MINUTE_MS * pace;
      agenda.add(nowMs + delayMs, { order: step.order, status });
    }
    return {
      event_id: random.uuid(),
      event_timestamp: new Date(nowMs).toISOString(),
      status: step.status,
      ...step.order,
    };
  }

  return {
    next(nowMs) {
      const waiting = (agenda.nextDueMs ?? Number.POSITIVE_INFINITY) <= nowMs && !random.chance(NEW_ORDER_CHANCE);
      const step = waiting ? agenda.take() : undefined;
      return advance(step ?? { order: placeOrder(random), status: "placed" }, nowMs);
    },
  };
}

function placeOrder(random: Random): Order {
  const market = random.weighted(MARKETS);
  const lines = orderLines(random, market);
  const cents = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  const channel = random.weighted<OrderEvent["channel"]>([
    ["web", 35],
    ["mobile", 55],
    ["store", 10],
  ]);
  return {
    order_id: `ord_${random.id(12)}`,
    customer_id: pickCustomer(random),
    currency: market.currency,
    amount: cents / 100,
    channel,
    items: lines.map(({ sku, name, quantity, priceCents }) => ({ sku, name, quantity, unit_price: priceCents / 100 })),
    ...couponOf(random, channel),
    ...versionOf(random, channel, market),
  };
}

// Both ways of saying "none" occur in the wild: the mobile app writes null, the others leave the field out.
function couponOf(random: Random, channel: OrderEvent["channel"]): { coupon?: string | null } {
  if (random.chance(0.15)) return { coupon: random.pick(["WELCOME10", "FREESHIP", "LUNCH5", "SUNDAY-20"]) };
  return channel === "mobile" ? { coupon: null } : {};
}

const DELIVERY_CENTS = [99, 199, 299, 499];

// Tills are never updated and write version 1; the app knows the fields of version 2; the site names no version and has begun to send one of them.
function versionOf(random: Random, channel: OrderEvent["channel"], market: Market): Partial<OrderEvent> {
  if (channel === "store") return { schema_version: 1 };
  const delivery = { sku: "delivery", name: "Delivery", priceCents: random.pick(DELIVERY_CENTS) };
  const delivery_fee = priceIn(market, delivery) / 100;
  return channel === "mobile" ? { delivery_fee, gift: random.chance(0.08), schema_version: 2 } : { delivery_fee };
}

interface Line {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly priceCents: number;
}

function orderLines(random: Random, market: Market): Line[] {
  const wanted = 1 + Math.min(7, Math.floor(random.exponential(1.6)));
  const bySku = new Map<string, Line>();
  for (let i = 0; i < wanted; i++) {
    const dish = pickDish(random);
    // One order in a hundred lines feeds an office.
    const quantity = random.chance(0.01) ? random.int(8, 40) : 1 + Math.min(5, Math.floor(random.exponential(0.7)));
    bySku.set(dish.sku, { sku: dish.sku, name: dish.name, quantity, priceCents: priceIn(market, dish) });
  }
  return [...bySku.values()];
}
