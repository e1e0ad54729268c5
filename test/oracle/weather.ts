/** Valid weather readings: the topic with one shard, for tests that need events and not their variety. */
import type { Contract } from "../../contracts/contract.ts";
import { contractOf } from "../../contracts/registry.ts";
import { formatTimestamp } from "../../schemas/time.ts";
import { makeMessage } from "./frames.ts";

export const weather: Contract = requireContract("weather");

/** The contract of a topic that a test relies on. */
export function requireContract(topic: string): Contract {
  const contract = contractOf(topic);
  if (contract === undefined) throw new Error(`no contract for ${topic}`);
  return contract;
}

/** A reading that happened at `micros`. */
export function reading(eventId: string, micros: number) {
  return {
    event_id: eventId,
    station_id: "SE-001",
    city: "Malmö",
    country: "SE",
    event_timestamp: formatTimestamp(micros),
    temperature_c: -3.5,
    humidity_pct: 80,
    pressure_hpa: 1013.25,
    wind_speed_ms: 4,
    condition: "snow",
    is_forecast: false,
  };
}

export interface WeatherMessage {
  readonly messageId: string;
  /** Microseconds since the epoch. */
  readonly received: number;
  readonly events: readonly { readonly eventId: string; readonly at: number }[];
  readonly tally?: Readonly<Record<string, number>>;
  readonly sequence?: number;
}

export function weatherMessage({ messageId, received, events, tally, sequence = 1 }: WeatherMessage): Uint8Array {
  return makeMessage({
    topic: "weather",
    messageId,
    received,
    sequence,
    ...(tally === undefined ? {} : { tally }),
    events: events.map(({ eventId, at }) => ({ event: reading(eventId, at), extra: null, lexical: null })),
  });
}
