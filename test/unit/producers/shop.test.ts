import { describe, expect, test } from "vitest";
import { type ClickEvent, FUNNEL } from "../../../producers/simulators/clickstream.ts";
import type { OrderEvent } from "../../../producers/simulators/orders.ts";
import type { PaymentEvent } from "../../../producers/simulators/payments.ts";
import { createRandom } from "../../../producers/simulators/random.ts";
import { createShop, SIMULATED_TOPICS, type SimulatedTopic } from "../../../producers/simulators/shop.ts";
import type { WeatherEvent } from "../../../producers/simulators/weather.ts";
import { expectEqual } from "../../oracle/expect-equal.ts";

const startMs = Date.parse("2026-11-21T00:00:00Z");
const cents = (amount: number) => Math.round(amount * 100);

/** What a shop emits when it is asked for topics by their usual shares, every `stepMs`. */
function live(count: number, stepMs: number, seed = 1) {
  const random = createRandom(seed);
  const shop = createShop(random.fork("shop"), SIMULATED_TOPICS, 1);
  const choices = random.fork("choices");
  const world = {
    clickstream: [] as ClickEvent[],
    orders: [] as OrderEvent[],
    payments: [] as PaymentEvent[],
    weather: [] as WeatherEvent[],
  };
  const sequence: (OrderEvent | PaymentEvent)[] = [];
  for (let i = 0; i < count; i++) {
    const topic = choices.weighted<SimulatedTopic>([
      ["clickstream", 60],
      ["orders", 18],
      ["payments", 17],
      ["weather", 5],
    ]);
    const made = shop.next(topic, startMs + i * stepMs);
    if (made.topic === "clickstream") world.clickstream.push(made.event);
    else if (made.topic === "weather") world.weather.push(made.event);
    else if (made.topic === "orders") {
      sequence.push(made.event);
      world.orders.push(made.event);
    } else if (made.topic === "payments") {
      sequence.push(made.event);
      world.payments.push(made.event);
    }
  }
  return { ...world, sequence };
}

const { clickstream, orders, payments, weather, sequence } = live(12_000, 4_000);

describe("orders", () => {
  const byOrder = Map.groupBy(orders, (order) => order.order_id);

  test("move from placed to delivered without a step left out, or are cancelled before they are shipped", () => {
    const way = ["placed", "confirmed", "shipped", "delivered"];
    for (const events of byOrder.values()) {
      const statuses = events.map((event) => event.status);
      const last = statuses.at(-1) === "cancelled" ? statuses.slice(0, -1) : statuses;
      expectEqual(last, way.slice(0, last.length));
      if (statuses.includes("cancelled")) expect(last.length).toBeLessThanOrEqual(2);
    }
    const ends = new Set([...byOrder.values()].map((events) => events.at(-1)?.status));
    expect(ends).toContain("delivered");
    expect(ends).toContain("cancelled");
  });

  test("keep what was ordered; the amount is the sum of the items, to the cent", () => {
    for (const [first, ...rest] of byOrder.values()) {
      if (first === undefined) continue;
      for (const event of rest) expectEqual({ ...event, ...identity(first) }, first);
      const sum = first.items.reduce((total, item) => total + item.quantity * cents(item.unit_price), 0);
      expectEqual(cents(first.amount), sum);
      expectEqual(cents(first.amount) / 100, first.amount);
      expectEqual(new Set(first.items.map((item) => item.sku)).size, first.items.length);
      if (first.currency === "JPY") expectEqual(Number.isInteger(first.amount), true);
    }
  });

  function identity({ event_id, event_timestamp, status }: OrderEvent) {
    return { event_id, event_timestamp, status };
  }
});

describe("payments", () => {
  const byPayment = Map.groupBy(payments, (payment) => payment.payment_id);

  test("are for orders that were placed before", () => {
    const seen = new Set<string>();
    for (const event of sequence) {
      if ("payment_id" in event) expectEqual([event.order_id, seen.has(event.order_id)], [event.order_id, true]);
      else seen.add(event.order_id);
    }
  });

  test("count their attempts, stop at a success, and are refunded with a reason only after one", () => {
    for (const events of byPayment.values()) {
      const tries = events.filter((event) => event.status !== "refunded");
      expectEqual(
        tries.map((event) => event.attempt),
        tries.map((_, index) => index + 1),
      );
      expectEqual(
        tries.slice(0, -1).every((event) => event.status === "failed"),
        true,
      );
      const refunds = events.slice(tries.length);
      expect(refunds.length).toBeLessThanOrEqual(1);
      for (const refund of refunds) {
        expect(tries.at(-1)?.status).toBe("succeeded");
        expect(refund.refund_reason).toBeTruthy();
      }
      for (const event of events) expectEqual(event.failure_reason !== undefined, event.status === "failed");
    }
    expect(new Set(payments.map((event) => event.status))).toEqual(new Set(["succeeded", "failed", "refunded"]));
    expect(payments.some((event) => event.attempt > 1 && event.status === "succeeded")).toBe(true);
  });

  test("of an order never exceed its amount, and are in its currency", () => {
    const placed = new Map(orders.map((order) => [order.order_id, order]));
    for (const [orderId, events] of Map.groupBy(payments, (payment) => payment.order_id)) {
      const order = placed.get(orderId);
      const paid = events.filter((event) => event.status === "succeeded");
      expect(paid.reduce((sum, event) => sum + cents(event.amount), 0)).toBeLessThanOrEqual(cents(order?.amount ?? 0));
      for (const event of events) expectEqual(event.currency, order?.currency);
    }
  });
});

describe("clickstream", () => {
  const sessions = Map.groupBy(clickstream, (click) => click.session_id);

  test("walks the funnel step by step from app_open, and nothing follows app_close", () => {
    for (const clicks of sessions.values()) {
      expectEqual(clicks[0]?.event_type, "app_open");
      for (const [index, click] of clicks.entries()) {
        const before = clicks[index - 1];
        if (before === undefined) continue;
        const follows = FUNNEL[before.event_type].next.some(([type]) => type === click.event_type);
        expectEqual([before, click, follows], [before, click, true]);
        expectEqual(click.duration_ms, Date.parse(click.event_timestamp) - Date.parse(before.event_timestamp));
      }
    }
    expect(new Set(clickstream.map((click) => click.event_type)).size).toBe(11);
  });

  test("checks out only with something in the cart, signed in, and gets narrower", () => {
    for (const clicks of sessions.values()) {
      let cart = 0;
      for (const click of clicks) {
        if (click.event_type === "add_to_cart") cart += 1;
        if (click.event_type === "remove_from_cart") cart -= 1;
        expectEqual([click, cart >= 0], [click, true]);
        if (click.event_type === "checkout_start") {
          expect(cart).toBeGreaterThan(0);
          expect(click.user_id).toBeDefined();
        }
        if (click.event_type === "order_placed") cart = 0;
      }
    }
    const count = (type: ClickEvent["event_type"]) => clickstream.filter((click) => click.event_type === type).length;
    expect(count("view_item")).toBeGreaterThan(count("add_to_cart"));
    expect(count("add_to_cart")).toBeGreaterThan(count("checkout_start"));
    expect(count("checkout_start")).toBeGreaterThan(count("order_placed"));
    expect(count("order_placed")).toBeGreaterThan(0);
  });

  test("is made by at most 50 users, each with one device and one session at a time", () => {
    const users = Map.groupBy(
      clickstream.filter((click) => click.user_id !== undefined),
      (click) => click.user_id,
    );
    expect(users.size).toBeLessThanOrEqual(50);
    expect(users.size).toBeGreaterThan(40);
    for (const clicks of users.values()) {
      expect(new Set(clicks.map((click) => click.device)).size).toBe(1);
      const ids = clicks.map((click) => click.session_id);
      expect(ids.filter((id, index) => id !== ids[index - 1]).length).toBe(new Set(ids).size);
    }
  });
});

describe("weather", () => {
  test("thirty stations report in turn", () => {
    const stations = weather.map((reading) => reading.station_id);
    expect(new Set(stations).size).toBe(30);
    expect(new Set(stations.slice(0, 30)).size).toBe(30);
  });

  test("afternoons are warmer than nights, and readings an hour apart resemble each other", () => {
    const shop = createShop(createRandom(2), ["weather"], 1);
    const readings: WeatherEvent[] = [];
    for (let i = 0; i < 30 * 24 * 30; i++) {
      const made = shop.next("weather", startMs + i * 120_000);
      if (made.topic === "weather") readings.push(made.event);
    }
    const delhi = readings.filter((reading) => reading.city === "Delhi");
    const mean = (hours: readonly number[]) => {
      const some = delhi.filter((reading) =>
        hours.includes((new Date(reading.event_timestamp).getUTCHours() + 5) % 24),
      );
      return some.reduce((sum, reading) => sum + reading.temperature_c, 0) / some.length;
    };
    expect(mean([14, 15, 16]) - mean([2, 3, 4])).toBeGreaterThan(8);
    const [station] = Map.groupBy(delhi, (reading) => reading.station_id).values();
    const temperatures = (station ?? []).map((reading) => reading.temperature_c);
    const steps = temperatures.slice(1).map((value, index) => Math.abs(value - (temperatures[index] ?? value)));
    expect(steps.reduce((sum, one) => sum + one, 0) / steps.length).toBeLessThan(3);
  });
});
