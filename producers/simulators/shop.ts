/** One consistent world: all generators together, payments following the orders. */
import { type AppEvent, createAppEvents } from "./app-events.ts";
import { type CampaignEvent, createCampaignEvents } from "./campaign-events.ts";
import { type ClickEvent, createClickstream } from "./clickstream.ts";
import { createOrderChanges, type OrderChangeEvent } from "./order-changes.ts";
import { createOrders, type OrderEvent } from "./orders.ts";
import { createPayments, type PaymentEvent } from "./payments.ts";
import type { Random } from "./random.ts";
import { createRestaurants, type RestaurantEvent } from "./restaurants.ts";
import type { SimulatedTopic } from "./topics.ts";
import { createUsers, type UserEvent } from "./users.ts";
import { createWeather, type WeatherEvent } from "./weather.ts";

export { SIMULATED_TOPICS, type SimulatedTopic } from "./topics.ts";

/** An event with the topic that it belongs to. */
export type ShopEvent =
  | { readonly topic: "clickstream"; readonly event: ClickEvent }
  | { readonly topic: "orders"; readonly event: OrderEvent }
  | { readonly topic: "payments"; readonly event: PaymentEvent }
  | { readonly topic: "weather"; readonly event: WeatherEvent }
  | { readonly topic: "app_events"; readonly event: AppEvent }
  | { readonly topic: "campaign_events"; readonly event: CampaignEvent }
  | { readonly topic: "order_changes"; readonly event: OrderChangeEvent }
  | { readonly topic: "restaurants"; readonly event: RestaurantEvent }
  | { readonly topic: "users"; readonly event: UserEvent };

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
  const appEvents = createAppEvents(random.fork("app_events"));
  const campaignEvents = createCampaignEvents(random.fork("campaign_events"));
  const orderChanges = createOrderChanges(random.fork("order_changes"), pace);
  const restaurants = createRestaurants(random.fork("restaurants"));
  const users = createUsers(random.fork("users"));

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
        case "app_events":
          return { topic, event: appEvents.next(nowMs) };
        case "campaign_events":
          return { topic, event: campaignEvents.next(nowMs) };
        case "order_changes":
          return { topic, event: orderChanges.next(nowMs) };
        case "restaurants":
          return { topic, event: restaurants.next(nowMs) };
        case "users":
          return { topic, event: users.next(nowMs) };
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
