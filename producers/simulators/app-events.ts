/** The mobile apps and the web app: sessions of taps and screens, some of which end in a crash. */

import { customerId, pickDish, pickRestaurant } from "./catalogue.ts";
import { createZipf, type Random } from "./random.ts";

export type AppEventName =
  | "session_start"
  | "screen_view"
  | "tap"
  | "scroll"
  | "search"
  | "sign_in"
  | "favourite_add"
  | "push_open"
  | "request_failed"
  | "crash"
  | "session_end";

/** An event of the topic `app_events`, as it goes over the wire. */
export interface AppEvent {
  readonly event_id: string;
  readonly session_id: string;
  readonly user_id?: string;
  readonly event_timestamp: string;
  readonly platform: "ios" | "android" | "web";
  readonly app_version?: string;
  readonly event_name: AppEventName;
  readonly screen: string;
  readonly duration_ms?: number;
  readonly battery_pct?: number;
  readonly device: {
    readonly model: string;
    readonly os: string;
    readonly os_version?: string;
    readonly locale?: string;
  };
  readonly error?: { readonly code: string; readonly fatal: boolean; readonly message?: string };
}

export interface AppEventGenerator {
  /** The next thing that happens in any app, at this virtual time (milliseconds since the epoch, never decreasing). */
  next(nowMs: number): AppEvent;
}

interface Session {
  readonly id: string;
  readonly user: string;
  readonly platform: AppEvent["platform"];
  readonly version: string;
  readonly device: AppEvent["device"];
  signedIn: boolean;
  screen: string;
  battery: number;
  lastMs: number | null;
}

/** Sessions open at once. */
const SESSIONS = 25;
/** Mobile apps send 65 events a minute, the web app 40: the middles of 30 to 100 and 20 to 60. */
const PLATFORMS: readonly (readonly [AppEvent["platform"], number])[] = [
  ["ios", 30],
  ["android", 35],
  ["web", 40],
];
const DEVICES: Readonly<Record<AppEvent["platform"], readonly AppEvent["device"][]>> = {
  ios: [
    { model: "iPhone 17", os: "iOS", os_version: "26.1", locale: "en-US" },
    { model: "iPhone 15", os: "iOS", os_version: "25.6", locale: "de-DE" },
  ],
  android: [
    { model: "Pixel 10", os: "Android", os_version: "17", locale: "en-GB" },
    { model: "Galaxy S25", os: "Android", os_version: "16", locale: "hi-IN" },
    { model: "Xperia 1", os: "Android", locale: "ja-JP" },
  ],
  web: [
    { model: "Firefox", os: "Linux", locale: "de-DE" },
    { model: "Chrome", os: "Windows", os_version: "11", locale: "en-US" },
    { model: "Safari", os: "macOS" },
  ],
};
const ACTS: readonly (readonly [AppEventName, number])[] = [
  ["screen_view", 34],
  ["tap", 28],
  ["scroll", 16],
  ["search", 7],
  ["sign_in", 3],
  ["favourite_add", 3],
  ["push_open", 1],
  ["request_failed", 2],
  ["crash", 0.5],
  ["session_end", 5.5],
];
const userRanks = createZipf(2_000, 0.7);

/** Sessions of users of all platforms. */
export function createAppEvents(random: Random): AppEventGenerator {
  const sessions: Session[] = [];
  return {
    next(nowMs) {
      if (sessions.length < SESSIONS && random.chance(sessions.length === 0 ? 1 : 0.06)) {
        const session = open(random);
        sessions.push(session);
        return eventOf(random, session, "session_start", nowMs);
      }
      const session = random.pick(sessions);
      const name = random.weighted(ACTS);
      const event = eventOf(random, session, name, nowMs);
      if (name === "session_end" || name === "crash") sessions.splice(sessions.indexOf(session), 1);
      return event;
    },
  };
}

function open(random: Random): Session {
  const platform = random.weighted(PLATFORMS);
  return {
    id: random.uuid(),
    user: customerId(random.zipf(userRanks)),
    platform,
    version: random.pick(["4.12.0", "4.11.3", "4.9.1"]),
    device: random.pick(DEVICES[platform]),
    signedIn: random.chance(0.6),
    screen: "/",
    battery: random.int(5, 100),
    lastMs: null,
  };
}

function eventOf(random: Random, session: Session, name: AppEventName, nowMs: number): AppEvent {
  const { platform } = session;
  if (name === "sign_in") session.signedIn = true;
  if (name === "search") session.screen = "/search";
  if (name === "screen_view") session.screen = screenOf(random);
  const event: AppEvent = {
    event_id: random.uuid(),
    session_id: session.id,
    ...(session.signedIn ? { user_id: session.user } : {}),
    event_timestamp: new Date(nowMs).toISOString(),
    platform,
    ...(platform === "web" ? {} : { app_version: session.version, battery_pct: session.battery }),
    event_name: name,
    screen: session.screen,
    ...(session.lastMs === null ? {} : { duration_ms: Math.min(nowMs - session.lastMs, 86_400_000) }),
    device: session.device,
    ...errorOf(random, name),
  };
  session.battery = Math.max(1, session.battery - (random.chance(0.1) ? 1 : 0));
  session.lastMs = nowMs;
  return event;
}

function screenOf(random: Random): string {
  const restaurant = `/restaurants/${pickRestaurant(random)}`;
  return random.pick(["/", "/favourites", restaurant, restaurant, `${restaurant}/items/${pickDish(random).sku}`]);
}

function errorOf(random: Random, name: AppEventName): Pick<AppEvent, "error"> {
  if (name === "crash") return { error: { code: random.pick(["SIGSEGV", "OOM", "ANR"]), fatal: true } };
  if (name !== "request_failed") return {};
  const code = random.pick(["HTTP_502", "TIMEOUT", "OFFLINE"]);
  return { error: { code, fatal: false, message: `GET /api/menu: ${code}` } };
}
