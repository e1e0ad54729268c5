/** The topics that have a simulator. */

/** The shop: what `simulate` plays unless told otherwise. */
export const SIMULATED_TOPICS = ["clickstream", "orders", "payments", "weather"] as const;

/** Databases that are polled when a simulation is live (`polling.ts`); in a counted run they are topics like the others. */
export const POLLED_TOPICS = ["order_changes", "restaurants", "users"] as const;
export type PolledTopic = (typeof POLLED_TOPICS)[number];

/** All topics that producers post to. */
export const ALL_TOPICS = [...SIMULATED_TOPICS, "app_events", "campaign_events", ...POLLED_TOPICS] as const;
export type SimulatedTopic = (typeof ALL_TOPICS)[number];
export type StreamedTopic = Exclude<SimulatedTopic, PolledTopic>;

/**
 * Events a minute of what never rests, as the platforms that Sluice replaces have it: a clickstream of ten a second, mobile apps
 * 30 to 100 and web 20 to 60 a minute, 10 to 30 row changes a minute; the others in the shop's proportions.
 */
export const EVENTS_PER_MINUTE: Readonly<Record<StreamedTopic | "order_changes", number>> = {
  clickstream: 600,
  app_events: 105,
  campaign_events: 60,
  orders: 20,
  payments: 38,
  weather: 15,
  order_changes: 20,
};

export function isPolled(topic: SimulatedTopic): topic is PolledTopic {
  return POLLED_TOPICS.some((polled) => polled === topic);
}

export function isStreamed(topic: SimulatedTopic): topic is StreamedTopic {
  return !isPolled(topic);
}
