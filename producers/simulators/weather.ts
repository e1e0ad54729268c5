/** Readings of thirty weather stations: a daily course of temperature, and weather that remembers what it was an hour ago. */
import type { Random } from "./random.ts";

export type Condition = "clear" | "clouds" | "rain" | "drizzle" | "thunderstorm" | "snow" | "mist";

/** An event of the topic `weather`, as it goes over the wire. Units: degrees Celsius, percent, hectopascal, metres a second. */
export interface WeatherEvent {
  readonly event_id: string;
  readonly station_id: string;
  readonly city: string;
  readonly country: string;
  readonly event_timestamp: string;
  readonly temperature_c: number;
  readonly humidity_pct: number;
  readonly pressure_hpa: number;
  readonly wind_speed_ms: number;
  readonly condition: Condition;
  readonly is_forecast: boolean;
}

export interface WeatherGenerator {
  /** The next station's reading, at this virtual time (milliseconds since the epoch, never decreasing). */
  next(nowMs: number): WeatherEvent;
}

/** A city's mean temperature, the half width of its daily course (degrees Celsius), and its solar time's offset in hours. */
const CITIES: readonly (readonly [city: string, country: string, meanC: number, swingC: number, offset: number])[] = [
  ["New York", "US", 13, 4.5, -5],
  ["Chicago", "US", 10, 5, -6],
  ["Austin", "US", 21, 6, -6],
  ["Seattle", "US", 11, 4, -8],
  ["Berlin", "DE", 10, 4.5, 1],
  ["München", "DE", 9, 5, 1],
  ["Paris", "FR", 12, 4.5, 0],
  ["Lisboa", "PT", 17, 4, -1],
  ["London", "GB", 11, 3.5, 0],
  ["Manchester", "GB", 10, 3, 0],
  ["Mumbai", "IN", 28, 3.5, 5],
  ["Bengaluru", "IN", 24, 5, 5],
  ["Delhi", "IN", 25, 7, 5],
  ["東京", "JP", 16, 4, 9],
  ["大阪", "JP", 17, 4, 9],
];

const HOUR_MS = 3_600_000;
/** After this long a station's departure from its mean has faded to 1/e. */
const MEMORY_MS = 6 * HOUR_MS;

interface Station {
  readonly id: string;
  readonly city: string;
  readonly country: string;
  readonly meanC: number;
  readonly swingC: number;
  readonly offset: number;
  warmth: Noise;
  dampness: Noise;
  pressure: Noise;
}

/** A first-order autoregression with unit variance, at the time of its last step. */
interface Noise {
  readonly value: number;
  readonly atMs: number | null;
}

/** Readings of two stations in each city, one after the other. */
export function createWeather(random: Random): WeatherGenerator {
  const stations = CITIES.flatMap(([city, country, meanC, swingC, offset], index) =>
    [1, 2].map((number): Station => {
      const start: Noise = { value: 0, atMs: null };
      const id = `${country}-${String(2 * index + number).padStart(3, "0")}`;
      return { id, city, country, meanC, swingC, offset, warmth: start, dampness: start, pressure: start };
    }),
  );
  let turn = random.int(0, stations.length - 1);
  return {
    next(nowMs) {
      // 7 and 30 have no common factor: all stations report in turn, neighbours not one after the other.
      turn = (turn + 7) % stations.length;
      const station = stations[turn];
      if (station === undefined) throw new RangeError(`no station ${turn}`);
      return read(random, station, nowMs);
    },
  };
}

function read(random: Random, station: Station, nowMs: number): WeatherEvent {
  station.warmth = step(random, station.warmth, nowMs);
  station.dampness = step(random, station.dampness, nowMs);
  station.pressure = step(random, station.pressure, nowMs);
  const solarHour = (nowMs / HOUR_MS + station.offset) % 24;
  // Warmest in the middle of the afternoon, at 15.
  const course = Math.cos((2 * Math.PI * (solarHour - 15)) / 24);
  const temperature = station.meanC + station.swingC * course + 3 * station.warmth.value;
  const humidity = clamp(65 - 12 * course + 15 * station.dampness.value, 8, 100);
  const wind = Math.hypot(random.normal(0, 2.6), random.normal(0, 2.6));
  return {
    event_id: random.uuid(),
    station_id: station.id,
    city: station.city,
    country: station.country,
    event_timestamp: new Date(nowMs).toISOString(),
    temperature_c: tenths(temperature),
    humidity_pct: tenths(humidity),
    pressure_hpa: tenths(clamp(1014 + 8 * station.pressure.value, 940, 1070)),
    wind_speed_ms: tenths(wind),
    condition: conditionOf(random, temperature, humidity),
    is_forecast: random.chance(0.1),
  };
}

/** The exact step of an Ornstein-Uhlenbeck process over any interval: x' = a x + sqrt(1 - a^2) N(0, 1), a = exp(-dt / memory). */
function step(random: Random, noise: Noise, nowMs: number): Noise {
  const kept = noise.atMs === null ? 0 : Math.exp(-(nowMs - noise.atMs) / MEMORY_MS);
  return { value: kept * noise.value + Math.sqrt(1 - kept * kept) * random.normal(0, 1), atMs: nowMs };
}

function conditionOf(random: Random, temperatureC: number, humidityPct: number): Condition {
  if (humidityPct < 55) return random.chance(0.8) ? "clear" : "clouds";
  if (humidityPct < 78) return random.chance(0.7) ? "clouds" : "clear";
  if (temperatureC < 1) return random.chance(0.7) ? "snow" : "mist";
  return random.weighted<Condition>([
    ["rain", 45],
    ["drizzle", 25],
    ["mist", 20],
    ["thunderstorm", temperatureC > 18 ? 10 : 1],
  ]);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
