/** One consistent world: the four generators together, payments following the orders. */
import { type ClickEvent, createClickstream } from "./clickstream.ts";
import { createOrders, type OrderEvent } from "./orders.ts";
import { createPayments, type PaymentEvent } from "./payments.ts";
import type { Random } from "./random.ts";
import { createWeather, type WeatherEvent } from "./weather.ts";

export const SIMULATED_TOPICS = ["clickstream", "orders", "payments", "weather"] as const;
export type SimulatedTopic = (typeof SIMULATED_TOPICS)[number];

/** An event with the topic that it belongs to. */
export type ShopEvent =
  | { readonly topic: "clickstream"; readonly event: ClickEvent }
  | { readonly topic: "orders"; readonly event: OrderEvent }
  | { readonly topic: "payments"; readonly event: PaymentEvent }
  | { readonly topic: "weather"; readonly event: WeatherEvent };

export interface Shop {
  /**
   * The topic's next event at this virtual time. Where nothing is left to pay, `payments` gives the order that comes next
   * instead; if the shop does not publish orders, that order happens unseen and its payment is given.
   */
  next(topic: SimulatedTopic, nowMs: number): ShopEvent;
}

/** A shop that publishes the given topics; `pace` as in `createOrders`. */
export function createShop(random: Random, topics: readonly SimulatedTopic[], pace: number): Shop {
  const orders = createOrders(random.fork("orders"), pace);
  const payments = createPayments(random.fork("payments"), pace);
  const clickstream = createClickstream(random.fork("clickstream"));
  const weather = createWeather(random.fork("weather"));

  function nextOrder(nowMs: number): ShopEvent {
    const event = orders.next(nowMs);
    payments.orderSeen(event, nowMs);
    return { topic: "orders", event };
  }

  return {
    next(topic, nowMs) {
      switch (topic) {
        case "clickstream":
          return { topic, event: clickstream.next(nowMs) };
        case "weather":
          return { topic, event: weather.next(nowMs) };
        case "orders":
          return nextOrder(nowMs);
        case "payments":
          for (;;) {
            const event = payments.next(nowMs);
            if (event !== null) return { topic, event };
            const order = nextOrder(nowMs);
            if (topics.includes("orders")) return order;
          }
      }
    },
  };
}
